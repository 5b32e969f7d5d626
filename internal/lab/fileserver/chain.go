package fileserver

// request is one message of a client with what it refers to.
type request struct {
	header
	raw    []byte // the message from its header on, with padding
	sealed *session
	chain  *chain

	session *session
	tree    *tree
}

// answer is what a handler says. Without a body an error answer is sent.
type answer struct {
	status status
	body   []byte

	sessionID uint64             // set by SESSION_SETUP
	treeID    uint32             // set by TREE_CONNECT
	signer    *session           // signs although the request was not signed
	seen      func(final []byte) // gets the answer as it goes out (preauthentication hash)
	silent    bool
	hangUp    bool
}

func fail(s status) answer { return answer{status: s} }

// chain carries what related requests of one compound take over from the one
// before (MS-SMB2 3.3.5.2.7.2).
type chain struct {
	started   bool
	sessionID uint64
	treeID    uint32
	file      fileID
	failed    status // of the request that should have given the file
}

// handleChain answers a message and all that follow it in the same frame.
func (c *conn) handleChain(frame []byte, sealed *session) ([]byte, error) {
	var out []byte
	var link chain
	for n := 0; ; n++ {
		h, err := parseHeader(frame)
		if err != nil || n >= maxChain || len(out) > maxAnswer {
			return nil, errFrame
		}
		raw, rest := frame, []byte(nil)
		if h.next != 0 {
			raw, rest = frame[:h.next], frame[h.next:]
		}
		r := &request{header: h, raw: raw, sealed: sealed, chain: &link}
		if h.command != cmdCancel && !c.window.take(h.messageID, h.charge) {
			return nil, errHangUp
		}
		a := c.handle(r)
		if a.hangUp {
			return nil, errHangUp
		}
		if !a.silent {
			out = c.respond(out, r, a, rest == nil)
		}
		if rest == nil {
			return out, nil
		}
		frame = rest
	}
}

// respond adds an answer behind those of the same frame.
func (c *conn) respond(out []byte, r *request, a answer, last bool) []byte {
	body := a.body
	if body == nil {
		body = []byte{9, 0, 0, 0, 0, 0, 0, 0, 0} // error response, MS-SMB2 2.2.2
	}
	at := len(out)
	out = append(out, make([]byte, headerSize)...)
	out = append(out, body...)
	if !last {
		for (len(out)-at)%8 != 0 {
			out = append(out, 0)
		}
	}
	message := out[at:]
	if a.sessionID != 0 {
		r.sessionID = a.sessionID
	}
	if a.treeID != 0 {
		r.treeID = a.treeID
	}
	signer := a.signer
	if signer == nil && r.session != nil && r.session.valid && r.sealed == nil && r.flags&headerSigned != 0 {
		signer = r.session
	}
	flags := r.flags & headerRelated
	if signer != nil {
		flags |= headerSigned
	}
	r.put(message, a.status, flags, c.window.grant(r.credits))
	if !last {
		le.PutUint32(message[20:], uint32(len(message)))
	}
	if signer != nil {
		signer.mac.sign(message)
	}
	if a.seen != nil {
		a.seen(message)
	}
	return out
}

// handle finds what a request refers to, checks its protection, and answers it.
func (c *conn) handle(r *request) answer {
	if (c.dialect == 0) != (r.command == cmdNegotiate) {
		return answer{hangUp: true} // MS-SMB2 3.3.5.2, 3.3.5.4
	}
	switch r.command {
	case cmdNegotiate:
		return c.negotiate(r)
	case cmdSessionSetup:
		return c.sessionSetup(r)
	case cmdCancel:
		return answer{silent: true} // nothing is ever pending
	}
	if a, ok := c.protect(r); !ok {
		return a
	}
	if r.session.over(c.server.config.Now()) && r.command != cmdLogoff && r.command != cmdClose && r.command != cmdLock {
		return fail(statusSessionExpired) // MS-SMB2 3.3.5.2.9
	}
	switch r.command {
	case cmdEcho:
		return answer{body: []byte{4, 0, 0, 0}}
	case cmdLogoff:
		return c.logoff(r)
	case cmdTreeConnect:
		return c.treeConnect(r)
	}
	r.tree = r.session.trees[r.treeID]
	switch {
	case r.tree == nil:
		return fail(statusNetworkNameDeleted)
	case r.tree.encrypt() && r.sealed == nil:
		return fail(statusAccessDenied) // MS-SMB2 3.3.5.2.11
	case r.command == cmdTreeDisconnect:
		return c.treeDisconnect(r)
	case c.shortOfCredits(r):
		return fail(statusInvalidParameter)
	}
	return c.handleFile(r)
}

// protect finds the session and sees that the message was sealed or signed by it.
func (c *conn) protect(r *request) (answer, bool) {
	if r.flags&headerRelated != 0 {
		if !r.chain.started {
			return fail(statusInvalidParameter), false
		}
		r.sessionID, r.treeID = r.chain.sessionID, r.chain.treeID
	} else {
		r.chain.file, r.chain.failed = fileID{}, statusOK
	}
	r.chain.started, r.chain.sessionID, r.chain.treeID = true, r.sessionID, r.treeID
	s := c.sessions[r.sessionID]
	if s == nil || !s.valid {
		return fail(statusUserSessionDeleted), false
	}
	r.session = s
	if r.sealed != nil {
		if r.sealed != s {
			return answer{hangUp: true}, false
		}
		return answer{}, true
	}
	if r.flags&headerSigned == 0 || !s.mac.verify(r.raw) {
		return fail(statusAccessDenied), false
	}
	return answer{}, true
}

func (c *conn) handleFile(r *request) answer {
	switch r.command {
	case cmdCreate:
		a := r.tree.create(r)
		r.chain.failed = a.status
		return a
	case cmdClose:
		return r.tree.close(r)
	case cmdRead:
		return r.tree.read(r)
	case cmdQueryDirectory:
		return r.tree.queryDirectory(r)
	case cmdQueryInfo:
		return r.tree.queryInfo(r)
	case cmdIoctl:
		return c.ioctl(r)
	case cmdWrite, cmdSetInfo, cmdFlush, cmdLock:
		return r.tree.changing(r)
	case cmdNotify, cmdOplockBreak:
		return fail(statusNotSupported)
	}
	return fail(statusInvalidParameter)
}

// shortOfCredits checks that a request paid for the larger of what it brings and
// what it asks for, 64 KiB a credit (MS-SMB2 3.3.5.2.5).
func (c *conn) shortOfCredits(r *request) bool {
	body := r.raw[headerSize:]
	var in, out uint32
	at := func(offset int) uint32 {
		if len(body) < offset+4 {
			return 0
		}
		return le.Uint32(body[offset:])
	}
	switch r.command {
	case cmdRead:
		out = at(4)
	case cmdWrite:
		in = at(4)
	case cmdQueryDirectory:
		out = at(28)
	case cmdQueryInfo:
		out, in = at(4), at(12)
	case cmdSetInfo:
		in = at(4)
	case cmdIoctl:
		in, out = at(28), at(44)
	}
	need := (uint64(max(in, out, 1))-1)/(64<<10) + 1
	return uint64(max(r.charge, 1)) < need
}

// fixed gives the body when it has the structure size its command demands and is
// long enough for the fixed part.
func (r *request) fixed(structure, atLeast int) ([]byte, bool) {
	body := r.raw[headerSize:]
	if len(body) < atLeast || int(le.Uint16(body)) != structure {
		return nil, false
	}
	return body, true
}

// blob gives a variable part; offsets count from the header.
func (r *request) blob(offset, size uint32) ([]byte, bool) {
	if size == 0 {
		return nil, true
	}
	if offset < headerSize || uint64(offset)+uint64(size) > uint64(len(r.raw)) {
		return nil, false
	}
	return r.raw[offset : offset+size], true
}
