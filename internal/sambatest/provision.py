"""Makes an Active Directory domain in a folder, with accounts in every state that a logon can meet.

Usage: provision.py FOLDER REALM PASSWORD. FOLDER holds smb.conf; services.keytab and users.keytab are made there.
"""

import logging
import os
import sys
import time

from samba import enable_net_export_keytab
from samba.auth import system_session
from samba.net import Net
from samba.param import LoadParm
from samba.provision import provision
from samba.samdb import SamDB

folder, realm, password = sys.argv[1:4]
config = os.path.join(folder, "smb.conf")
domain = realm.split(".")[0]
quiet = logging.getLogger("provision")
quiet.addHandler(logging.NullHandler())

params = LoadParm()
params.load(config)
provision(
    quiet, system_session(), smbconf=config, targetdir=None, realm=realm, domain=domain, hostname="dc1",
    hostip="127.0.0.1", adminpass=password, serverrole="active directory domain controller", dns_backend="NONE",
    dom_for_fun_level=4, base_schema="2012_R2", plaintext_secrets=True, use_ntvfs=True, skip_sysvolacl=True,
)

params = LoadParm()
params.load(config)
sam = SamDB(url=os.path.join(folder, "private", "sam.ldb"), session_info=system_session(), lp=params)
base = str(sam.domain_dn())


def change(dn, attribute, value):
    sam.modify_ldif(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")


# An account is locked after five failed logons, for longer than any test.
change(base, "lockoutThreshold", 5)
change(base, "lockoutDuration", -(24 * 3600 * 10**7))
change(base, "lockOutObservationWindow", -(24 * 3600 * 10**7))

for user in ["operator", "locked", "disabled", "mustchange", "gone"]:
    sam.newuser(user, password)
    change(f"CN={user},CN=Users,{base}", "userPrincipalName", f"{user}@people.test")
change(f"CN=locked,CN=Users,{base}", "lockoutTime", int((time.time() + 11644473600) * 10**7))
change(f"CN=disabled,CN=Users,{base}", "userAccountControl", 0x202)
change(f"CN=mustchange,CN=Users,{base}", "pwdLastSet", 0)
change(f"CN=gone,CN=Users,{base}", "accountExpires", 132_000_000_000_000_000)

# Computers: the first has both service names, the second only HTTP, the third only AES-128, the last only RC4.
for name, services, encryption in [
    ("NODE1", ["WSMAN", "HTTP", "HOST"], 0x18),
    ("NODE2", ["HTTP", "HOST"], 0x18),
    ("NODE3", ["WSMAN", "HOST"], 0x08),
    ("NODE4", ["WSMAN"], 0x04),
]:
    sam.newcomputer(name)
    dn = f"CN={name},CN=Computers,{base}"
    sam.setpassword(f"(sAMAccountName={name}$)", password + name, force_change_at_next_login=False)
    sam.enable_account(f"(sAMAccountName={name}$)")
    change(dn, "msDS-SupportedEncryptionTypes", encryption)
    change(dn, "dNSHostName", f"{name.lower()}.{realm.lower()}")
    for service in services:
        sam.modify_ldif(
            f"dn: {dn}\nchangetype: modify\nadd: servicePrincipalName\n"
            f"servicePrincipalName: {service}/{name.lower()}.{realm.lower()}\n"
        )

enable_net_export_keytab()
out = Net(None, params)
for name, services in [("node1", ["WSMAN", "HTTP"]), ("node2", ["HTTP"]), ("node3", ["WSMAN"]), ("node4", ["WSMAN"])]:
    for service in services:
        out.export_keytab(
            keytab=os.path.join(folder, "services.keytab"), principal=f"{service}/{name}.{realm.lower()}@{realm}"
        )
out.export_keytab(keytab=os.path.join(folder, "users.keytab"), principal=f"operator@{realm}")
