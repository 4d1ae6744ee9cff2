# Row 1e: lines of text from stdin through Pool.imap, written again as they are.
import sys
from multiprocessing import Pool


def work(line):
    return line


if __name__ == "__main__":
    with Pool(2) as pool:
        write = sys.stdout.write
        for text in pool.imap(work, sys.stdin, chunksize=250):
            write(text)
