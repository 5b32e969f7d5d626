package fault

// known is what we know about a code: its symbolic name, what it means in one sentence, and what to do about it
// where there is something to do.
type known struct{ name, meaning, advice string }

// tables are searched in this order; no code stands in two of them.
//
//nolint:gochecknoglobals // constant tables; Go has no constant maps
var tables = []map[Code]known{windows, clusters, installers, restarts, updates, servicing, remoting, tasks, statuses}

// facilityWin32 begins an HRESULT that wraps a Win32 error (HRESULT_FROM_WIN32, winerror.h).
const facilityWin32 = 0x8007

// lookup finds a code itself, or, for an HRESULT that wraps a Win32 error, that error.
func (c Code) lookup() known {
	for _, t := range tables {
		if k, ok := t[c]; ok {
			return k
		}
	}
	if c>>16 != facilityWin32 || c&0xffff == 0 {
		return known{}
	}
	k := (c & 0xffff).lookup()
	if k.name != "" {
		k.name = "HRESULT(" + k.name + ")"
	}
	return k
}

// windows are Win32 errors of files, networks, services and logons, and the HRESULTs that mean something else than
// the error they wrap. Source: winerror.h.
//
//nolint:gochecknoglobals // a constant table
var windows = map[Code]known{
	2:    {"ERROR_FILE_NOT_FOUND", "There is no such file.", "Check that the path exists on the node."},
	3:    {"ERROR_PATH_NOT_FOUND", "There is no such folder.", "Check that the path exists on the node."},
	5:    {"ERROR_ACCESS_DENIED", "Windows refused access.", "Check the permissions of the account the node used; a node reads a share as its computer account."},
	32:   {"ERROR_SHARING_VIOLATION", "Another program has the file open.", "Find the program that holds the file, often a virus scanner."},
	53:   {"ERROR_BAD_NETPATH", "The server was not found on the network.", "Check the server's name, DNS and the firewall (TCP 445) from the node."},
	64:   {"ERROR_NETNAME_DELETED", "The file server ended the connection.", "Look at the file server and at the network between it and the node; then start a new run."},
	67:   {"ERROR_BAD_NET_NAME", "The server has no such share.", "Check the share's name on the file server."},
	112:  {"ERROR_DISK_FULL", "The disk is full.", "Free space on the node's system drive."},
	258:  {"WAIT_TIMEOUT", "The wait ended before the operation did.", ""},
	997:  {"ERROR_IO_PENDING", "The operation has begun and is not done yet.", ""},
	1056: {"ERROR_SERVICE_ALREADY_RUNNING", "The service runs already.", ""},
	1058: {"ERROR_SERVICE_DISABLED", "The service is disabled.", "Enable the Windows Update service (wuauserv) on the node."},
	1060: {"ERROR_SERVICE_DOES_NOT_EXIST", "There is no such service.", ""},
	1070: {"ERROR_SERVICE_START_HANG", "The service hung while it started.", ""},
	1311: {"ERROR_NO_LOGON_SERVERS", "No domain controller could be reached for the logon.", "Check the node's DNS and its way to a domain controller."},
	1326: {"ERROR_LOGON_FAILURE", "The user name or the password is wrong.", "Check the user name and the password. It was tried once and will not be tried again."},
	1330: {"ERROR_PASSWORD_EXPIRED", "The account's password has expired.", "Set a new password, then give it to cau."},
	1331: {"ERROR_ACCOUNT_DISABLED", "The account is disabled.", "Use another account, or enable this one."},
	1398: {"ERROR_TIME_SKEW", "The clocks differ too much.", "Set the time of this host and of the node by the same source."},
	1460: {"ERROR_TIMEOUT", "The operation took longer than it may.", ""},
	1722: {"RPC_S_SERVER_UNAVAILABLE", "The service cannot be reached over RPC.", "Check that the node is up and that its services run."},
	1726: {"RPC_S_CALL_FAILED", "The service ended while it worked.", "Check the node's System log for a service that stopped."},
	1753: {"EPT_S_NOT_REGISTERED", "The service is not registered for RPC yet.", "Wait until the node has finished starting."},
	1907: {"ERROR_PASSWORD_MUST_CHANGE", "The account's password must be changed first.", "Sign in once and change the password, then give it to cau."},
	1909: {"ERROR_ACCOUNT_LOCKED_OUT", "The account is locked.", "Unlock the account before anything tries again."},
	4320: {"ERROR_REQUEST_REFUSED", "The operator or the system refused the request.", "Look at the task's conditions on the node; a policy may refuse it."},

	0x80070005: {"E_ACCESSDENIED", "Windows refused access.", "Check permissions; Windows Update and wusa refuse work in a network logon."},
}

// statuses are NTSTATUS values that SMB answers with. Source: ntstatus.h.
//
//nolint:gochecknoglobals // a constant table
var statuses = map[Code]known{
	0xC0000022: {"STATUS_ACCESS_DENIED", "The file server refused access.", "Check the share's and the folder's permissions for the account."},
	0xC000006D: {"STATUS_LOGON_FAILURE", "The user name or the password is wrong.", "Check the user name and the password. It was tried once and will not be tried again."},
	0xC00000CC: {"STATUS_BAD_NETWORK_NAME", "The server has no such share.", "Check the share's name on the file server."},
}

// tasks are results of scheduled tasks: LastTaskResult while there is no exit code yet. Source: winerror.h (SCHED_S_*).
//
//nolint:gochecknoglobals // a constant table
var tasks = map[Code]known{
	0x00041300: {"SCHED_S_TASK_READY", "The task waits to be started.", ""},
	0x00041301: {"SCHED_S_TASK_RUNNING", "The task runs.", ""},
	0x00041302: {"SCHED_S_TASK_DISABLED", "The task is disabled.", "Somebody or a policy disabled the task; enable it, or look at the policy."},
	0x00041303: {"SCHED_S_TASK_HAS_NOT_RUN", "The task has not run yet.", "Wait; right after a start of Windows it may take minutes."},
	0x00041306: {"SCHED_S_TASK_TERMINATED", "Somebody ended the task.", "Find out who ended it before it is started again."},
	0x00041325: {"SCHED_S_TASK_QUEUED", "The task waits for its turn.", "Wait; right after a start of Windows it may take minutes."},
}

// restarts are what shutdown.exe answers. Source: winerror.h.
//
//nolint:gochecknoglobals // a constant table
var restarts = map[Code]known{
	350:  {"ERROR_FAIL_NOACTION_REBOOT", "The update failed; Windows takes no action about a restart.", ""},
	351:  {"ERROR_FAIL_SHUTDOWN", "The update failed; Windows shuts down.", ""},
	352:  {"ERROR_FAIL_RESTART", "The update failed; Windows restarts.", ""},
	1115: {"ERROR_SHUTDOWN_IN_PROGRESS", "Windows is shutting down.", "The node is already going down; wait for it."},
	1116: {"ERROR_NO_SHUTDOWN_IN_PROGRESS", "No restart was scheduled.", ""},
	1190: {"ERROR_SHUTDOWN_IS_SCHEDULED", "A restart is scheduled already.", "Another restart is scheduled on the node."},
}

// remoting are faults of WinRM. Source: wsmerror.h.
//
//nolint:gochecknoglobals // a constant table
var remoting = map[Code]known{
	0x80338026: {"ERROR_WSMAN_ENVELOPE_TOO_LARGE", "The message is larger than the node's WinRM takes.", "Look at MaxEnvelopeSizekb of the node's WinRM; a policy may have lowered it."},
	0x80338027: {"ERROR_WSMAN_INVALID_SOAP_BODY", "WinRM did not understand the message.", ""},
	0x80338029: {"ERROR_WSMAN_OPERATION_TIMEDOUT", "Nothing new came within the time that was asked for.", ""},
	0x8033803F: {"ERROR_WSMAN_QUOTA_LIMIT", "A limit of the node's WinRM is reached.", "Look at the node's WinRM limits and at the shells that others have open."},
	0x8033805B: {"ERROR_WSMAN_UNEXPECTED_SELECTORS", "WinRM does not know the shell.", "The remote shell is gone; the WinRM service was restarted."},
	0x803381A5: {"ERROR_WSMAN_QUOTA_MAX_SHELLS", "The account has as many shells open as it may.", "Raise MaxShellsPerUser on the node, or end the shells that are left open."},
	0x803381A6: {"ERROR_WSMAN_QUOTA_MAX_OPERATIONS", "The account has as many operations open as it may.", "Raise MaxConcurrentOperationsPerUser on the node, or wait."},
	0x803381A7: {"ERROR_WSMAN_QUOTA_USER", "The account has used up its share of WinRM for now.", "Wait; the node counts requests over time."},
	0x803381A8: {"ERROR_WSMAN_QUOTA_SYSTEM", "WinRM on the node has used up its share for now.", "Wait; the node counts requests over time."},
	0x803381AB: {"ERROR_WSMAN_QUOTA_MAX_SHELLUSERS", "As many accounts have shells open as may.", "Raise MaxConcurrentUsers on the node, or wait."},
	0x803381AC: {"ERROR_WSMAN_REMOTESHELLS_NOT_ALLOWED", "The node allows no remote shells.", "Set AllowRemoteShellAccess in the node's WinRM; a policy may forbid it."},
	0x80070102: {"HRESULT(WAIT_TIMEOUT)", "WinRM gave up waiting.", ""},
	0x800700CE: {"HRESULT(ERROR_FILENAME_EXCED_RANGE)", "The command line is too long.", ""},
}
