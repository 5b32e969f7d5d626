package smbcheck

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/cloudsoda/go-smb2"

	"cau/internal/fault"
)

// Causes that callers tell apart with errors.Is.
var (
	ErrUnreachable = errors.New("the file server does not answer")
	ErrNotSMB      = errors.New("what answers there does not speak SMB 2 or later")
	ErrDialect     = errors.New("the server does not speak this version of SMB")
	ErrCipher      = errors.New("the server offers no encryption that this program speaks (AES-128-GCM, AES-128-CCM)")
	ErrNegotiate   = errors.New("the server refuses what this program offers")
	ErrSigning     = errors.New("the server takes no signature that this program makes (AES-CMAC)")
	ErrLogon       = errors.New("the server refused the user name or the password")
	ErrAccount     = errors.New("the server refused the account")
	ErrGuest       = errors.New("the server made it a guest or anonymous session")
	ErrTampered    = errors.New("the connection could not be proven genuine")
	ErrShare       = errors.New("there is no such share")
	ErrAccess      = errors.New("access denied")
	ErrMissing     = errors.New("the file or folder is not there")
	ErrBroken      = errors.New("the connection broke")
	ErrNotFolder   = errors.New("it is a file, not a folder")
	ErrNotFile     = errors.New("it is a folder, not a file")
	ErrDFS         = errors.New("the path leads into a DFS namespace")
	ErrReparse     = errors.New("a link or another reparse point is in the path")
	ErrName        = errors.New("refused name")
	ErrLimit       = errors.New("more than this program takes")
	ErrChanged     = errors.New("changed during the check")
	ErrProtocol    = errors.New("the server's answer makes no sense")
	ErrClosed      = errors.New("the connection is closed")
)

// NTSTATUS values, MS-ERREF 2.3.1.
const (
	statusPending          = 0x00000103
	statusInvalidParameter = 0xC000000D
	statusMoreProcessing   = 0xC0000016
	statusAccessDenied     = 0xC0000022
	statusNameNotFound     = 0xC0000034
	statusNameCollision    = 0xC0000035
	statusNotSupported     = 0xC00000BB
	statusSessionDeleted   = 0xC0000203
	statusSessionExpired   = 0xC000035C
)

type meaning struct {
	err  error
	hint string
}

const (
	hintAccount = "An administrator of the account's domain has to look at it. It was tried once and will not be tried again."
	hintDFS     = "Give the path of the file server behind the namespace. CAU's check of permissions does not work with DFS."
	hintLogon   = "Check the user name, the domain and the password. It was tried once and will not be tried again."
	hintShare   = "Check the share's name on the file server. If it is a domain-based DFS namespace, give the path of the file server behind it."
)

// meanings tells what an NTSTATUS means for a hotfix root.
func meanings(status uint32) (meaning, bool) {
	switch status {
	case 0xC000006D, 0xC0000064, 0xC000006A: // LOGON_FAILURE, NO_SUCH_USER, WRONG_PASSWORD
		return meaning{ErrLogon, hintLogon}, true
	case 0xC0000234: // ACCOUNT_LOCKED_OUT
		return meaning{fmt.Errorf("%w: it is locked", ErrAccount), hintAccount}, true
	case 0xC0000072: // ACCOUNT_DISABLED
		return meaning{fmt.Errorf("%w: it is disabled", ErrAccount), hintAccount}, true
	case 0xC0000193: // ACCOUNT_EXPIRED
		return meaning{fmt.Errorf("%w: it has expired", ErrAccount), hintAccount}, true
	case 0xC0000071: // PASSWORD_EXPIRED
		return meaning{fmt.Errorf("%w: its password has expired", ErrAccount), "Change the password."}, true
	case 0xC0000224: // PASSWORD_MUST_CHANGE
		return meaning{fmt.Errorf("%w: its password must be changed first", ErrAccount), "Change the password."}, true
	case 0xC000006E, 0xC000006F, 0xC0000070: // ACCOUNT_RESTRICTION, INVALID_LOGON_HOURS, INVALID_WORKSTATION
		return meaning{fmt.Errorf("%w: a restriction forbids this sign-in", ErrAccount), hintAccount}, true
	case 0xC000015B, 0xC0000413: // LOGON_TYPE_NOT_GRANTED, AUTHENTICATION_FIREWALL_FAILED
		return meaning{fmt.Errorf("%w: it may not sign in over the network there", ErrAccount), "Grant it \"Access this computer from the network\" on the file server."}, true
	case 0xC0000133: // TIME_DIFFERENCE_AT_DC
		return meaning{fmt.Errorf("%w: the clocks differ too much", ErrAccount), "Set the clocks."}, true
	case statusAccessDenied:
		return meaning{ErrAccess, "Give the account read access to the share and to the folder, with the right to read permissions (READ_CONTROL), which Windows' Read includes. A share that demands encryption refuses SMB 2 in the same words."}, true
	case 0xC00000CC, 0xC00000C9: // BAD_NETWORK_NAME, NETWORK_NAME_DELETED
		return meaning{ErrShare, hintShare}, true
	case statusNameNotFound, 0xC000003A, 0xC000000F: // OBJECT_NAME_NOT_FOUND, OBJECT_PATH_NOT_FOUND, NO_SUCH_FILE
		return meaning{ErrMissing, "Check the path on the file server."}, true
	case 0xC0000103: // NOT_A_DIRECTORY
		return meaning{ErrNotFolder, "Check the path on the file server."}, true
	case 0xC00000BA: // FILE_IS_A_DIRECTORY
		return meaning{ErrNotFile, "Check the path on the file server."}, true
	case 0xC0000257: // PATH_NOT_COVERED
		return meaning{ErrDFS, hintDFS}, true
	case 0x8000002D: // STOPPED_ON_SYMLINK
		return meaning{ErrReparse, "Put the files there themselves, not links."}, true
	case 0xC0000043: // SHARING_VIOLATION
		return meaning{errors.New("another program has the file open for itself alone"), "Close it there and try again."}, true
	}
	return meaning{}, false
}

// explain turns what the library or the tap reported into one fault.Error.
func explain(op string, err error) error {
	var done *fault.Error
	if errors.As(err, &done) {
		return err
	}
	fail := &fault.Error{Op: op, Err: err}
	status := statusOf(err)
	m, known := meanings(status)
	switch {
	case known:
		fail.Code, fail.Err, fail.Hint = fault.Code(status), m.err, m.hint
		var where *pathError
		if errors.As(err, &where) {
			fail.Err = within(where.path, m.err)
		}
	case status != 0:
		fail.Code = fault.Code(status)
	default:
		fail.Hint = hintFor(err)
	}
	return fail
}

// statusOf finds the NTSTATUS in an error of the library, which hides three of them behind io/fs.
func statusOf(err error) uint32 {
	var re *smb2.ResponseError
	switch {
	case errors.As(err, &re):
		return re.Code
	case errors.Is(err, os.ErrPermission):
		return statusAccessDenied
	case errors.Is(err, os.ErrNotExist):
		return statusNameNotFound
	}
	return 0
}

func hintFor(err error) string {
	for _, h := range []struct {
		err  error
		hint string
	}{
		{ErrNotSMB, "Check the server's name and the port; SMB listens on TCP 445. A server that speaks only SMB 1 cannot be used."},
		{ErrDialect, "Turn SMB 3.1.1 on at the file server, or allow older dialects (--allow-older-smb): what is seen over them is not protected against a downgrade."},
		{ErrCipher, "Add AES_128_GCM to the file server's EncryptionCiphers (Set-SmbServerConfiguration)."},
		{ErrNegotiate, "The server may insist on something that this program does not speak, such as signing with AES-GMAC only; asking the server what it speaks tells."},
		{ErrSigning, "Let the file server take AES-CMAC too (Samba: server smb3 signing algorithms)."},
		{ErrShare, hintShare},
		{ErrGuest, "Sign in with an account that the file server knows; nothing is read as a guest."},
		{ErrTampered, "Something between here and the file server may be changing messages. Try from a trusted network, then look for proxies or WAN accelerators."},
		{ErrReparse, "Put the files there themselves, not links."},
		{ErrName, "Rename it on the file server."},
		{ErrChanged, "Let whoever copies files there finish, then check again."},
		{ErrNotFolder, "Check the path on the file server."},
		{ErrNotFile, "Check the path on the file server."},
		{ErrProtocol, "Check what listens at that address; look at the file server's event log."},
		{ErrBroken, "Try again; if it stays, look at the file server's event log."},
		{ErrUnreachable, "Check the server's name, DNS and the firewall (TCP 445) from this computer."},
	} {
		if errors.Is(err, h.err) {
			return h.hint
		}
	}
	return ""
}

// cause gives the library's own errors a cause that callers can tell apart. A transport error has no
// Unwrap, and a wrong signature only its text.
func cause(err error) error {
	var te *smb2.TransportError
	var ir *smb2.InvalidResponseError
	switch {
	case errors.As(err, &te) && te.Err != nil:
		return fmt.Errorf("%w: %w", ErrBroken, te.Err)
	case errors.As(err, &ir) && strings.Contains(ir.Message, "signature"):
		return fmt.Errorf("%w: a message has a wrong signature", ErrTampered)
	case errors.As(err, &ir):
		return fmt.Errorf("%w: %s", ErrProtocol, ir.Message)
	}
	return err
}

// whyUnreachable explains a failed dial in an administrator's words.
func whyUnreachable(err error) string {
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &dns):
		return "the name cannot be resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	default:
		return err.Error()
	}
}
