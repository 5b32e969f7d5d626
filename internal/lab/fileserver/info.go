package fileserver

// Kinds of information, MS-SMB2 2.2.37.
const (
	infoFile       byte = 1
	infoFileSystem byte = 2
	infoSecurity   byte = 3
)

// File information classes, MS-FSCC 2.4.
const (
	fileBasic        byte = 4
	fileStandard     byte = 5
	fileInternal     byte = 6
	fileEA           byte = 7
	fileAccess       byte = 8
	fileName         byte = 9
	filePosition     byte = 14
	fileMode         byte = 16
	fileAlignment    byte = 17
	fileAll          byte = 18
	fileAlternate    byte = 21
	fileStream       byte = 22
	fileNetworkOpen  byte = 34
	fileAttributeTag byte = 35
)

// File system information classes, MS-FSCC 2.5.
const (
	fsVolume    byte = 1
	fsSize      byte = 3
	fsDevice    byte = 4
	fsAttribute byte = 5
	fsFullSize  byte = 7
	fsSector    byte = 11
)

// queryInfo answers MS-SMB2 2.2.37.
func (t *tree) queryInfo(r *request) answer {
	body, ok := r.fixed(41, 40)
	if !ok {
		return fail(statusInvalidParameter)
	}
	h, s := t.handle(r, body[24:])
	if s != statusOK {
		return fail(s)
	}
	kind, class, room, ask := body[2], body[3], le.Uint32(body[4:]), le.Uint32(body[16:])
	if room > maxTransact {
		return fail(statusInvalidParameter)
	}
	var data []byte
	switch kind {
	case infoFile:
		if class == fileAlternate {
			return fail(statusObjectNameNotFound) // no 8.3 names, as on a ReFS volume
		}
		data = t.fileInfo(h, class)
	case infoFileSystem:
		data = t.fsInfo(class)
	case infoSecurity:
		return t.security(h, ask, room)
	}
	if data == nil {
		return fail(statusInvalidInfoClass)
	}
	if uint64(len(data)) <= uint64(room) {
		return answer{body: dataBody(data)}
	}
	if fixed := variableFrom(kind, class); fixed > 0 && room >= fixed {
		return answer{status: statusBufferOverflow, body: dataBody(data[:room])}
	}
	return fail(statusInfoLengthMismatch)
}

// variableFrom gives the size of the fixed part of a class that ends in a name,
// which may be cut short with a warning; 0 for the others.
func variableFrom(kind, class byte) uint32 {
	switch {
	case kind == infoFile && class == fileAll:
		return 100
	case kind == infoFile && class == fileName:
		return 4
	case kind == infoFile && class == fileStream:
		return 24
	case kind == infoFileSystem && class == fsVolume:
		return 18
	case kind == infoFileSystem && class == fsAttribute:
		return 12
	}
	return 0
}

// security answers with the descriptor; one that does not fit is answered with
// its size (MS-SMB2 3.3.5.20.3, 2.2.2).
func (t *tree) security(h *handle, ask, room uint32) answer {
	if ask&askSACL != 0 || h.access&readControl == 0 || t.withheld() {
		return fail(statusAccessDenied)
	}
	sd := t.share.permissions.of(h.path, h.info.IsDir()).encode(ask)
	if uint64(len(sd)) <= uint64(room) {
		return answer{body: dataBody(sd)}
	}
	w := builder{}
	w.u16(9)
	if t.session.dialect == smb311 { // which wraps error data in a context
		w.u8(1, 0)
		w.u32(12)
		w.u32(4, 0)
	} else {
		w.u8(0, 0)
		w.u32(4)
	}
	w.u32(uint32(len(sd)))
	return answer{status: statusBufferTooSmall, body: w.b}
}

func (t *tree) fileInfo(h *handle, class byte) []byte {
	w := builder{}
	switch class {
	case fileAll:
		for _, part := range []byte{
			fileBasic, fileStandard, fileInternal, fileEA, fileAccess, filePosition, fileMode, fileAlignment, fileName,
		} {
			w.raw(t.fileInfo(h, part))
		}
	case fileBasic:
		w.raw(t.times(h.info))
		w.u32(attributes(h.info), 0)
	case fileStandard:
		w.u64(allocation(h.info), size(h.info))
		if h.deletePending { // the name counts no more, MS-FSA 2.1.5.12.27
			w.u32(0)
			w.u8(1)
		} else {
			w.u32(1)
			w.u8(0)
		}
		w.u8(isDirectory(h), 0, 0)
	case fileInternal:
		w.u64(fileNumber(t.share.Name, h.path))
	case fileEA, fileMode, fileAlignment:
		w.u32(0)
	case fileAccess:
		w.u32(h.access)
	case filePosition:
		w.u64(0)
	case fileName:
		name := encodeUTF16(windowsPath(h.path))
		w.u32(uint32(len(name)))
		w.raw(name)
	case fileStream:
		if h.info.IsDir() {
			return []byte{}
		}
		name := encodeUTF16("::$DATA")
		w.u32(0, uint32(len(name)))
		w.u64(size(h.info), allocation(h.info))
		w.raw(name)
	case fileNetworkOpen:
		w.raw(t.times(h.info))
		w.u64(allocation(h.info), size(h.info))
		w.u32(attributes(h.info), 0)
	case fileAttributeTag:
		w.u32(attributes(h.info), 0)
	default:
		return nil
	}
	return w.b
}

func isDirectory(h *handle) byte {
	if h.info.IsDir() {
		return 1
	}
	return 0
}

// fsInfo describes the volume. That of a share which cannot be changed has 64 GiB
// and is full: nothing can be written to it.
func (t *tree) fsInfo(class byte) []byte {
	const (
		sector         = 512
		sectorsPerUnit = cluster / sector
	)
	units, free := uint64(64<<30/cluster), uint64(0)
	if t.writable() {
		total, left := t.share.Writable.Space()
		units, free = uint64(max(total, 0))/cluster, uint64(max(left, 0))/cluster
	}
	w := builder{}
	switch class {
	case fsVolume:
		label := encodeUTF16(t.share.Name)
		w.u64(filetime(t.started))
		w.u32(uint32(fileNumber(t.share.Name, "")), uint32(len(label)))
		w.u16(0)
		w.raw(label)
	case fsSize:
		w.u64(units, free)
		w.u32(sectorsPerUnit, sector)
	case fsFullSize:
		w.u64(units, free, free)
		w.u32(sectorsPerUnit, sector)
	case fsDevice:
		const disk, mounted, readOnly = 7, uint32(0x20), uint32(0x2)
		if t.writable() {
			w.u32(disk, mounted)
		} else {
			w.u32(disk, mounted|readOnly)
		}
	case fsAttribute:
		const casePreserved, unicodeNames, acls, readOnlyVolume = 0x2, 0x4, 0x8, uint32(0x80000)
		name := encodeUTF16("NTFS")
		if t.writable() {
			w.u32(casePreserved|unicodeNames|acls, maxName, uint32(len(name)))
		} else {
			w.u32(casePreserved|unicodeNames|acls|readOnlyVolume, maxName, uint32(len(name)))
		}
		w.raw(name)
	case fsSector:
		w.u32(sector, cluster, cluster, cluster, 0, 0, 0)
	default:
		return nil
	}
	return w.b
}
