"""What every room may use: errors, files, pages, tables, threads and native logs.

Nothing here is about deepfakes, and nothing here imports another room.
"""
