// Package descriptor reads and writes security descriptors of files and folders: who owns them, and who may do what.
//
//	smbcheck -> descriptor (pure: bytes and text in, values out)
//
//	Parse, Encode        the self-relative binary form (MS-DTYP 2.4.6)
//	ParseSDDL, SDDL      the text form (MS-DTYP 2.5.1)
//	SID, Mask            principals and rights, with their names
//
// What comes from a server is hostile until it is parsed: every offset, size and count is checked, nothing is allocated
// by a claim, and an entry of an unknown kind is kept and reported, never passed over.
package descriptor
