package agent

// Job kinds on single files, each with a script jobs/<kind>.ps1.
const (
	JobFileRead  = "file.read"
	JobFileWrite = "file.write"
)

// Bounds of file jobs in bytes: what one job reads and writes, and how large a file may become.
const (
	MaxFileRead  = 64 << 10
	MaxFileWrite = 512 << 10
	MaxFile      = 16 << 20
)

// FileReadInput is the input of the read job: Path below the update's folder of the run, or, where Update is empty, the full path
// of a file on a fixed drive. The file may be open elsewhere.
type FileReadInput struct {
	Run    string `json:"run"`
	Update string `json:"update"`
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
}

// FileReadOutput is its data: the whole file's size, and at most MaxFileRead bytes from the offset on in base64.
type FileReadOutput struct {
	Size int64  `json:"size"`
	Data string `json:"data"`
}

// FileWriteInput is the input of the write job: Data, in base64 and of SHA256, becomes the end of the file from Offset on.
type FileWriteInput struct {
	Run    string `json:"run"`
	Update string `json:"update"`
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	SHA256 string `json:"sha256"`
	Data   string `json:"data"`
	// ReserveBytes must stay free beyond twice the size of the part (R23).
	ReserveBytes int64 `json:"reserve_bytes"`
}

// FileWriteOutput is its data: the whole file as it lies there.
type FileWriteOutput struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}
