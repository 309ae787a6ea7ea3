// Sends files to the program one by one and shows the progress of each. LOST is defined by page.py.
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
  text.textContent = 'Waiting for earlier files';
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
    request.upload.onprogress = at => shown.say(`Copying: ${size(file)}`, at.loaded / at.total);
    request.onload = () => {
      let reply = {};
      try { reply = JSON.parse(request.responseText); } catch { /* reported below */ }
      if (request.status === 201) done(reply.id);
      else refused(new Error(reply.error || 'The program did not accept the file.'));
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
    else shown.say(at.step ? at.step[0].toUpperCase() + at.step.slice(1) : 'Opening',
                   at.share > 0 ? at.share : undefined);
    await pause(400);
  }
}

async function judge(file, shown) {
  let id;
  try {
    const asked = await fetch('files?size=' + file.size).catch(() => { throw new Error(LOST); });
    if (!asked.ok) throw new Error((await asked.json()).error);
    shown.say(`Copying: ${size(file)}`, 0);
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
