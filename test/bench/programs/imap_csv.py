# Row 1d: records of a CSV file from stdin through csv.DictReader and Pool.imap, written as JSON by the workers.
import csv
import json
import sys
from multiprocessing import Pool


def work(record):
    return json.dumps(record) + "\n"


if __name__ == "__main__":
    with Pool(2) as pool:
        write = sys.stdout.write
        for text in pool.imap(work, csv.DictReader(sys.stdin), chunksize=250):
            write(text)
