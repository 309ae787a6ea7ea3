"""What every room may use: errors, files, pages, tables, threads and native logs.

Nothing here knows of deepfakes, and nothing here imports another room.
"""
