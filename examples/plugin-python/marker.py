#!/usr/bin/env python3
"""A sample plug-in for cau in Python: it runs one script on every node that does not have a file of a given name.

docs/plugin-protocol.md is the contract. A plug-in is started anew for every request: it reads one line, asks cau for what it
needs on the node, and says one last message.
"""

import json
import sys

DECLARATION = {
    "type": "describe",
    "protocol": 1,
    "name": "Example.Marker",
    "version": "1.1",
    "description": "Says a text on every node that needs it, as a sample.",
    "options": [
        {"name": "Text", "kind": "text", "required": True, "caption": "Text", "help": "What is said on the node."},
        {"name": "Unless", "kind": "text", "default": "C:\\ProgramData\\Example\\marker.txt", "caption": "Unless there is the file",
         "help": "A full path on the nodes; a node that has the file needs nothing."},
        {"name": "Restart", "kind": "bool", "default": "False", "caption": "Ask for a restart", "help": "Says that the node has to restart."},
    ],
    "capabilities": ["read-anywhere:scan", "script:install"],
}


# ERROR_FILE_NOT_FOUND and ERROR_PATH_NOT_FOUND.
NOT_THERE = (2, 3)


class Failure(Exception):
    """The request cannot be done; the text is for the administrator."""


def say(**message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def ask(job, **what):
    """Asks cau for something on the node whose turn it is. The job's name is the same when the request comes again."""
    say(type="ask", job=job, **what)
    answer = json.loads(sys.stdin.readline() or '{"cancel":true}')
    if answer.get("cancel"):
        sys.exit(1)
    return answer


def quoted(text):
    """A PowerShell string that holds the text and nothing else: all five characters that PowerShell reads as a quote are doubled."""
    return "'" + "".join(c * 2 if c in "'\u2018\u2019\u201a\u201b" else c for c in text) + "'"


def validate(request):
    known = {o["name"] for o in DECLARATION["options"]}
    given = request.get("arguments", {})
    problems = [{"name": n, "problem": "is not an argument of this plug-in"} for n in given if n not in known]
    if len(given.get("Text", "")) > 200:
        problems.append({"name": "Text", "problem": "has more than 200 characters", "hint": "Make it shorter."})
    if given.get("Unless", "")[1:3] != ":\\":
        problems.append({"name": "Unless", "problem": "is not the full path of a file on a drive", "hint": "Write it as C:\\folder\\file.txt."})
    say(type="validated", problems=problems)


def scan(request):
    arguments = request["arguments"]
    answer = ask("look", do="read", path=arguments["Unless"])
    if not answer["ok"] and answer.get("code") not in NOT_THERE:
        raise Failure("the node could not be looked at: " + answer["error"])
    if not answer["ok"]:
        say(
            type="update", id="marker", name="Marker", identity="marker: " + arguments["Text"],
            limit_minutes=10, may_restart=arguments["Restart"] == "True",
            data=json.dumps({"text": arguments["Text"], "restart": arguments["Restart"] == "True"}),
        )
    say(type="done")


def stage(_request):
    say(type="progress", message="has nothing to bring", percent=100)
    say(type="done")


def install(request):
    data = json.loads(request["update"]["data"])
    answer = ask("say", do="script", script="Write-Output " + quoted(data["text"]) + "\nexit 0")
    if answer["ok"] and answer["exit_code"] == 0:
        say(type="result", outcome="installed", exit_code=0, restart_required=data["restart"])
        return
    reason = answer.get("error") or "the script ended with %d" % answer["exit_code"]
    say(type="result", outcome="failed", exit_code=answer["exit_code"] or 1, reason=reason)


def main():
    try:
        request = json.loads(sys.stdin.readline())
        if request.get("cau") != 1:
            raise Failure("this plug-in speaks version 1 of the protocol")
        what = request.get("request")
        if what == "describe":
            say(**DECLARATION)
        elif what in ("validate", "scan", "stage", "install"):
            {"validate": validate, "scan": scan, "stage": stage, "install": install}[what](request)
        else:
            raise Failure("there is no such request")
    except ValueError as e:
        say(type="error", reason="what was asked cannot be read: %s" % e)
    except Failure as e:
        say(type="error", reason=str(e))


if __name__ == "__main__":
    main()
