"""A service that proves itself by MIT's GSSAPI: what arrives as a line on standard input is answered by a line.

  accept ID BASE64 [BINDING]  -> "more|done BASE64 initiator mechanism"   (a step of the logon; BASE64 "-" for none)
  wrap ID BASE64              -> "HEADER SEALED"                           (gss_wrap_iov: header apart from the data)
  wrapplain ID BASE64         -> "TOKEN"                                   (gss_wrap: one token)
  unwrap ID BASE64            -> "PLAIN"
  verify ID MESSAGE MIC       -> "verified"                                (gss_verify_mic, in sequence)
  drop ID                     -> "dropped"
An error is answered by "error" and its text. Where the service answers with a token of its own, it follows as base64.
"""

import base64
import sys

import gssapi
from gssapi.raw import ChannelBindings, IOV, IOVBuffer, IOVBufferType, wrap_iov


def b64(data):
    return base64.b64encode(data).decode() if data else "-"


def raw(text):
    return b"" if text == "-" else base64.b64decode(text)


contexts = {}


def accept(name, token, binding=""):
    if name not in contexts:
        bound = ChannelBindings(application_data=raw(binding)) if binding else None
        contexts[name] = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept"), usage="accept", channel_bindings=bound)
    context = contexts[name]
    out = context.step(raw(token))
    if not context.complete:
        return f"more {b64(out)}"
    return f"done {b64(out)} {context.initiator_name} {context.mech}"


def wrap(name, plain):
    iov = IOV(IOVBufferType.header, raw(plain), std_layout=False)
    wrap_iov(contexts[name], iov, confidential=True)
    return f"{b64(iov[0].value)} {b64(iov[1].value)}"


def wrapplain(name, plain):
    return b64(contexts[name].wrap(raw(plain), True).message)


def unwrap(name, token):
    result = contexts[name].unwrap(raw(token))
    if not result.encrypted:
        raise ValueError("not encrypted")
    return b64(result.message)


def verify(name, message, mic):
    contexts[name].verify_signature(raw(message), raw(mic))
    return "verified"


def drop(name):
    contexts.pop(name, None)
    return "dropped"


commands = {"accept": accept, "wrap": wrap, "wrapplain": wrapplain, "unwrap": unwrap, "verify": verify, "drop": drop}
for line in sys.stdin:
    word, *rest = line.split()
    try:
        answer = commands[word](*rest)
    except Exception as failure:  # whatever it is, the other side wants to know
        token = getattr(failure, "token", None)
        answer = f"error {b64(token)} " + " ".join(str(failure).split())
    print(answer, flush=True)
