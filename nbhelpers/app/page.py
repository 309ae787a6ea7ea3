"""The page itself: one file, no address of another machine in it, light and dark."""

from __future__ import annotations

import html
import json

from nbhelpers.common.html import page as framed
from nbhelpers.predict import report, sections

TITLE = "Does this photo or clip look manipulated?"
STYLE = """
.drop { display: block; border: 2px dashed var(--faint); border-radius: 12px; padding: 2.2rem 1rem;
  text-align: center; background: var(--card); cursor: pointer; margin: 1rem 0; }
.drop.over, .drop:focus-within { border-color: var(--link); }
.drop.over { background: var(--warn-back); }
.drop b { color: var(--link); }
.drop input { position: absolute; width: 1px; height: 1px; opacity: 0; }
.job { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 1rem 0;
  padding: .8rem 1rem; overflow-wrap: anywhere; }
.job.refused { border-left: .7rem solid var(--bad); }
.job progress { width: 100%; max-width: 26rem; display: block; margin: .4rem 0; }
.job p { margin: 0; }
"""
BODY = """
<label class="drop" id="drop"><input type="file" id="choose" multiple>
<b>Choose a photo or clip</b>, or drop it here<br>
<span class="small">It stays on this computer and is deleted as soon as it is judged.</span></label>
<div id="answers" aria-live="polite"></div>
"""
SCRIPT = r"""
const drop = document.getElementById('drop'), choose = document.getElementById('choose');
const answers = document.getElementById('answers'), unanswered = new Set();
const size = file => (file.size / 1e6).toLocaleString('en', {maximumFractionDigits: 1}) + ' MB';
const pause = time => new Promise(done => setTimeout(done, time));

function card(file) {
  const job = document.createElement('div'), name = document.createElement('b');
  const bar = document.createElement('progress'), text = document.createElement('p');
  job.className = 'job';
  name.textContent = file.name;
  text.className = 'small';
  job.append(name, bar, text);
  text.textContent = 'Waiting for the files before it';
  answers.append(job);
  return {
    say(words, share) {
      text.textContent = words;
      if (share === undefined) bar.removeAttribute('value'); else bar.value = share;
    },
    refuse(words) {
      job.classList.add('refused');
      bar.remove();
      text.className = '';
      text.textContent = words;
    },
    answer(section) {
      job.outerHTML = section;
    },
  };
}

function send(file, shown) {
  return new Promise((done, refused) => {
    const request = new XMLHttpRequest();
    request.open('POST', 'files');
    request.setRequestHeader('X-File-Name', encodeURIComponent(file.name));
    request.upload.onprogress = at => shown.say(`Copying it: ${size(file)}`, at.loaded / at.total);
    request.onload = () => {
      let reply = {};
      try { reply = JSON.parse(request.responseText); } catch { /* said below */ }
      if (request.status === 201) done(reply.id);
      else refused(new Error(reply.error || 'The program did not take the file.'));
    };
    request.onerror = () => refused(new Error(LOST));
    request.send(file);
  });
}

async function wait(id, shown) {
  for (let failures = 0; ;) {
    let reply;
    try {
      reply = await fetch('files/' + id);
      failures = 0;
    } catch {
      if (++failures > 5) throw new Error(LOST);
      await pause(1000);
      continue;
    }
    const at = await reply.json();
    if (!reply.ok) throw new Error(at.error);
    if (at.state === 'failed') throw new Error(at.answer);
    if (at.state === 'done') return at.answer;
    if (at.state === 'waiting')
      shown.say(`Waiting: ${at.ahead} ${at.ahead === 1 ? 'file is' : 'files are'} ahead of it`);
    else shown.say(at.step ? at.step[0].toUpperCase() + at.step.slice(1) : 'Opening it',
                   at.share > 0 ? at.share : undefined);
    await pause(400);
  }
}

async function judge(file, shown) {
  let id;
  try {
    const asked = await fetch('files?size=' + file.size).catch(() => { throw new Error(LOST); });
    if (!asked.ok) throw new Error((await asked.json()).error);
    shown.say(`Copying it: ${size(file)}`, 0);
    id = await send(file, shown);
    unanswered.add(id);
    shown.answer(await wait(id, shown));
  } catch (error) {
    shown.refuse(error.message);
  } finally {
    unanswered.delete(id);
  }
}

async function judgeAll(files) {
  const cards = files.map(card);
  for (const [at, file] of files.entries()) await judge(file, cards[at]);
}

choose.onchange = () => { judgeAll([...choose.files]); choose.value = ''; };
document.ondragover = event => { event.preventDefault(); drop.classList.add('over'); };
document.ondragleave = event => { if (!event.relatedTarget) drop.classList.remove('over'); };
document.ondrop = event => {
  event.preventDefault();
  drop.classList.remove('over');
  judgeAll([...event.dataTransfer.files]);
};
addEventListener('pagehide', () => {
  for (const id of unanswered) fetch('files/' + id, {method: 'DELETE', keepalive: true});
});
"""
LOST = (
    "The program that judges does not answer. Look whether its terminal is still open, and start "
    "it again."
)


def page(facts: str, *, nonce: str) -> str:
    """Write the page.

    Args:
        facts: HTML that stands below the answers, on how to read them.
        nonce: that lets its own script run, and no other.

    Returns:
        HTML.
    """
    script = (
        f'<script nonce="{html.escape(nonce)}">const LOST = {json.dumps(LOST)};{SCRIPT}</script>'
    )
    return framed(TITLE, f"{report.BANNER}{BODY}{facts}{script}", style=sections.STYLE + STYLE)


def policy(nonce: str) -> str:
    """Write what the browser may do with the page: load nothing, ask nobody but this server."""
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; connect-src 'self'; "
        f"script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
