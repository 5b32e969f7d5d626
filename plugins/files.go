package plugins

// Jobs on single files, which other people's plug-ins ask for.
const (
	// JobFileRead reads a part of a file: FileReadJob in, FileReadJobResult out.
	JobFileRead JobKind = "file.read"
	// JobFileWrite writes a part of a file of an update's own folder: FileWriteJob in, FileWriteJobResult out.
	JobFileWrite JobKind = "file.write"
)

// The bounds of file jobs, in bytes: what one job reads and writes, and how large a file may become.
const (
	MaxFileRead  = 64 << 10
	MaxFileWrite = 512 << 10
	MaxFile      = 16 << 20
)

// FileReadJob is the input of JobFileRead. With Update, Path is below that update's folder of the run; without, it is the full
// path of a file on a fixed drive of the node. A reparse point on the way is refused (R17).
type FileReadJob struct {
	Run    string `json:"run"`
	Update string `json:"update,omitempty"`
	Path   string `json:"path"`
	// Offset is the first byte; at most MaxFileRead bytes follow it.
	Offset int64 `json:"offset"`
}

// FileReadJobResult is the output of JobFileRead: Size is the whole file's in bytes.
type FileReadJobResult struct {
	Size int64  `json:"size"`
	Data []byte `json:"data"`
}

// FileWriteJob is the input of JobFileWrite. The part ends the file: what was there from Offset on is gone, and a file that is
// shorter than Offset is refused, so that a part may be written again. The node checks SHA256, the part's own, in lower-case
// hex.
type FileWriteJob struct {
	Run    string `json:"run"`
	Update string `json:"update"`
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	SHA256 string `json:"sha256"`
	Data   []byte `json:"data"`
}

// FileWriteJobResult is the output of JobFileWrite: the whole file, hashed through the handle that wrote it.
type FileWriteJobResult struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}
