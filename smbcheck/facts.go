package smbcheck

// Facts is what is known about a connection, each fact with its proof. A fact whose proof is false
// is only what the network said.
type Facts struct {
	Dialect Dialect `json:"dialect"`
	Cipher  Cipher  `json:"cipher"`
	// SigningRequired is the server's own demand (MS-SMB2 2.2.4, SecurityMode); we always sign.
	SigningRequired bool   `json:"signing_required"`
	SessionFlags    uint16 `json:"session_flags"`
	// Guest is a guest or anonymous session. Connect refuses them.
	Guest bool `json:"guest"`
	// SetupVerified: the signature of the answer that ended the sign-in is right under the session
	// key. It proves the session's flags and, with DowngradeProtected, the negotiation.
	SetupVerified bool `json:"setup_verified"`
	// DowngradeProtected: dialect, cipher and signing demand are inside the key (3.1.1's preauth
	// integrity). Older dialects have nothing like it.
	DowngradeProtected bool `json:"downgrade_protected"`
	// ShareType is DiskShare on every connection that Connect returns.
	ShareType  ShareType `json:"share_type"`
	ShareFlags uint32    `json:"share_flags"`
	// MaximalAccess is the access mask that the server gives the account in this share at most (MS-SMB2 2.2.10; bits as
	// in 2.2.13.1.1). The share's own permissions are in it, those of the folders below are not.
	MaximalAccess uint32 `json:"maximal_access"`
	// EncryptData: the session or the share demands encryption from everyone.
	EncryptData bool `json:"encrypt_data"`
	// DFS: the share is in a DFS namespace; DFSRoot: it is the root of one.
	DFS     bool `json:"dfs"`
	DFSRoot bool `json:"dfs_root"`
	// ShareVerified: the answer that carried the share's type, flags and access was rightly signed or sealed.
	ShareVerified bool `json:"share_verified"`
	// Sent and Received count what really crossed the wire so far, the handshake included.
	Sent     Traffic `json:"sent"`
	Received Traffic `json:"received"`
}

// Traffic counts frames in one direction.
type Traffic struct {
	Plain  int `json:"plain"`
	Signed int `json:"signed"`
	Sealed int `json:"sealed"`
}

// Session flags, MS-SMB2 2.2.6.
const (
	sessionGuest   = 0x1
	sessionNull    = 0x2
	sessionEncrypt = 0x4
)

// Share flags and capability, MS-SMB2 2.2.10.
const (
	shareDFS     = 0x1
	shareDFSRoot = 0x2
	shareEncrypt = 0x8000
	shareCapDFS  = 0x8
)

// share fills in what a TREE_CONNECT answer says.
func (f *Facts) share(a treeAnswer, proven bool) {
	f.ShareType, f.ShareFlags, f.MaximalAccess = a.kind, a.flags, a.maximalAccess
	f.EncryptData = f.EncryptData || a.flags&shareEncrypt != 0
	f.DFS = a.flags&(shareDFS|shareDFSRoot) != 0 || a.capabilities&shareCapDFS != 0
	f.DFSRoot = a.flags&shareDFSRoot != 0
	f.ShareVerified = proven
}

// canSeal tells whether the connection has a cipher to seal with: the library fails without one.
func (f *Facts) canSeal() bool { return f.Cipher.ours() }
