# Row 1: NDJSON from stdin through Pool.imap, parsed and written again in the workers.
import json
import sys
from multiprocessing import Pool


def work(line):
    return json.dumps(json.loads(line)) + "\n"


if __name__ == "__main__":
    with Pool(2) as pool:
        write = sys.stdout.write
        for text in pool.imap(work, sys.stdin, chunksize=250):
            write(text)
