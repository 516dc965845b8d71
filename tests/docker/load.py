#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""load.py PORT: asks /score on four connections until its stdin ends; prints what became of it."""

import json
import sys
import threading
from http.client import HTTPConnection, HTTPException

BODY = json.dumps({"followers": 1234567, "posts": 812, "avg_likes": 34567})
answers, lost, models = [], [], set()
stops = threading.Event()


def ask(port):
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    while not stops.is_set():
        try:
            connection.request("POST", "/score", BODY, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            body = reply.read()
        except (OSError, HTTPException) as error:
            lost.append(repr(error))
            connection.close()
            continue
        if reply.status == 200:
            answers.append(1)
            models.add(json.loads(body)["model"])
        else:
            lost.append(reply.status)


threads = [threading.Thread(target=ask, args=(int(sys.argv[1]),)) for _ in range(4)]
for thread in threads:
    thread.start()
sys.stdin.read()
stops.set()
for thread in threads:
    thread.join()
print(json.dumps({"answered": len(answers), "lost": len(lost), "how": sorted({str(x) for x in lost}), "models": len(models)}))
