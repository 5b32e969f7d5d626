package external

import (
	"fmt"
	"io/fs"
)

// safe refuses: who may write a file is not read on Windows by this version, and what is not known is not trusted (R07).
func safe(path string, _ fs.FileInfo) (string, error) {
	return "", fmt.Errorf("%w: this version cannot see on Windows who may write %s; run cau on Linux or macOS for other people's plug-ins", ErrUntrusted, path)
}
