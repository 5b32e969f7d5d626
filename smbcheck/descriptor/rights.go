package descriptor

import "strings"

// Mask is a set of rights on a file or folder (MS-DTYP 2.4.3; MS-SMB2 2.2.13.1).
type Mask uint32

// The rights. On a folder WriteData adds files, AppendData adds folders and Execute passes through.
const (
	ReadData        Mask = 0x1
	WriteData       Mask = 0x2
	AppendData      Mask = 0x4
	ReadEA          Mask = 0x8
	WriteEA         Mask = 0x10
	Execute         Mask = 0x20
	DeleteChild     Mask = 0x40
	ReadAttributes  Mask = 0x80
	WriteAttributes Mask = 0x100
	Delete          Mask = 0x10000
	ReadControl     Mask = 0x20000
	WriteDAC        Mask = 0x40000
	WriteOwner      Mask = 0x80000
	Synchronize     Mask = 0x100000

	GenericAll     Mask = 0x10000000
	GenericExecute Mask = 0x20000000
	GenericWrite   Mask = 0x40000000
	GenericRead    Mask = 0x80000000
)

// What the generic rights mean for files (MS-DTYP 2.4.3, MS-SMB2 2.2.13.1.1), and the usual sets of Windows' dialogs.
const (
	FileAll        Mask = 0x1F01FF
	FileRead       Mask = 0x120089
	FileWrite      Mask = 0x120116
	FileExecute    Mask = 0x1200A0
	FileModify     Mask = 0x1301BF
	FileReadAndRun      = FileRead | FileExecute
)

// Writes are the rights by which content, names or permissions can be changed, generic ones included.
const Writes = WriteData | AppendData | WriteEA | DeleteChild | WriteAttributes | Delete | WriteDAC | WriteOwner

// Expand replaces generic rights by what they mean for files.
func (m Mask) Expand() Mask {
	out := m &^ (GenericAll | GenericRead | GenericWrite | GenericExecute)
	for _, g := range []struct{ generic, means Mask }{
		{GenericAll, FileAll},
		{GenericRead, FileRead},
		{GenericWrite, FileWrite},
		{GenericExecute, FileExecute},
	} {
		if m&g.generic != 0 {
			out |= g.means
		}
	}
	return out
}

// Words says the expanded rights as Windows' dialogs do, a whole set first and then what is beyond it.
func (m Mask) Words(folder bool) string {
	rest := m.Expand()
	var words []string
	for _, set := range []struct {
		mask Mask
		word string
	}{{FileAll, "full control"}, {FileModify, "modify"}, {FileReadAndRun | FileWrite, "read, execute and write"}, {FileReadAndRun, "read and execute"}, {FileRead | FileWrite, "read and write"}, {FileRead, "read"}, {FileWrite, "write"}} {
		if rest&set.mask == set.mask {
			words, rest = append(words, set.word), rest&^set.mask
			break
		}
	}
	for _, r := range []struct {
		mask        Mask
		file, below string
	}{
		{ReadData, "read data", "list"},
		{WriteData, "write data", "add files"},
		{AppendData, "append data", "add folders"},
		{Execute, "execute", "pass through"},
		{DeleteChild, "delete children", "delete what is in it"},
		{Delete, "delete", "delete"},
		{WriteDAC, "change permissions", "change permissions"},
		{WriteOwner, "take ownership", "take ownership"},
		{WriteAttributes, "write attributes", "write attributes"},
		{WriteEA, "write extended attributes", "write extended attributes"},
		{ReadAttributes, "read attributes", "read attributes"},
		{ReadEA, "read extended attributes", "read extended attributes"},
		{ReadControl, "read permissions", "read permissions"},
	} {
		if rest&r.mask == 0 {
			continue
		}
		if folder {
			words = append(words, r.below)
		} else {
			words = append(words, r.file)
		}
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
