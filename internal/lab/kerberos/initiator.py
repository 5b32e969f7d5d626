# An initiator on MIT's GSSAPI for the tests: it says and answers one line of JSON after the other.
import base64
import json
import sys

import gssapi
from gssapi.raw import IOV, IOVBufferType, ChannelBindings, unwrap_iov, wrap_iov

MECHS = {"krb5": "1.2.840.113554.1.2.2", "spnego": "1.3.6.1.5.5.2"}


def b64(data):
    return base64.b64encode(data).decode()


def say(**what):
    print(json.dumps(what), flush=True)


def hear():
    line = sys.stdin.readline()
    return json.loads(line) if line else {"do": "end"}


def act(ctx, order):
    do, data = order["do"], base64.b64decode(order.get("data", ""))
    if do == "wrap":
        say(sealed=b64(ctx.wrap(data, True).message))
    elif do == "iov":
        iov = IOV(IOVBufferType.header, data, IOVBufferType.padding, std_layout=False)
        wrap_iov(ctx, iov, True)
        say(header=b64(iov[0].value), sealed=b64(iov[1].value), padding=len(iov[2].value or b""))
    elif do == "unwrap":
        plain = ctx.unwrap(base64.b64decode(order["header"]) + data)
        say(plain=b64(plain.message), encrypted=plain.encrypted)
    elif do == "uniov":
        iov = IOV((IOVBufferType.header, False, base64.b64decode(order["header"])), (IOVBufferType.data, False, data),
                  (IOVBufferType.padding, False, b""), std_layout=False)
        plain = unwrap_iov(ctx, iov)
        say(plain=b64(iov[1].value), encrypted=plain.encrypted)


def main():
    target, mech, flags, bound = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    try:
        ctx = gssapi.SecurityContext(
            name=gssapi.Name(target, gssapi.NameType.kerberos_principal), usage="initiate",
            mech=gssapi.OID.from_int_seq(MECHS[mech]), flags=flags,
            channel_bindings=ChannelBindings(application_data=bound.encode()) if bound else None)
        say(token=b64(ctx.step()))
        answer = base64.b64decode(hear().get("data", ""))
        if not ctx.complete:
            ctx.step(answer)
        say(complete=ctx.complete, flags=int(ctx.actual_flags))
        while (order := hear())["do"] != "end":
            act(ctx, order)
    except gssapi.exceptions.GSSError as e:
        say(error=str(e))


main()
