#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""load.py PORT [FILE]: asks /score on four connections until its stdin ends; prints what became of it. FILE gets the
request ids of the answers that came, a line each."""

import itertools
import json
import os
import sys
import threading
from http.client import HTTPConnection, HTTPException

CLIENTS = 4
answers, lost, models = [], [], set()
stops = threading.Event()


def ask(port, name):
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    for i in itertools.count():
        if stops.is_set():
            return
        request_id = f"load-{name}-{i}"
        try:
            # Not the same one each time: HAProxy gives each its replica.
            body = json.dumps({"followers": 1234567 + i, "posts": 812, "avg_likes": 34567})
            connection.request("POST", "/score", body, {"Content-Type": "application/json", "X-Request-Id": request_id})
            reply = connection.getresponse()
            body = reply.read()
        except (OSError, HTTPException) as error:
            lost.append(repr(error))
            connection.close()
            continue
        if reply.status == 200:
            answers.append(request_id)
            models.add(json.loads(body)["model"])
        else:
            lost.append(reply.status)


threads = [threading.Thread(target=ask, args=(int(sys.argv[1]), f"{os.getpid()}-{at}")) for at in range(CLIENTS)]
for thread in threads:
    thread.start()
sys.stdin.read()
stops.set()
for thread in threads:
    thread.join()
if len(sys.argv) > 2:
    with open(sys.argv[2], "w", encoding="ascii") as file:
        file.writelines(f"{request_id}\n" for request_id in answers)
print(json.dumps({"answered": len(answers), "lost": len(lost), "how": sorted({str(x) for x in lost}), "models": len(models)}))
