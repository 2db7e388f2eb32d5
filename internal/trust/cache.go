package trust

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// maxRecordSize bounds a file of the cache, in bytes.
const maxRecordSize = 64 << 20

// cache is an instance's place in the cache folder.
type cache struct {
	file string // a [record] in JSON
	last string // the time of the last try, RFC 3339
}

// cacheOf returns the instance's place. Another mirror or another embedded TUF
// root has another, so that neither can spoil the other's record.
func (i instance) cacheOf(dir string) cache {
	id := digest([]byte(i.mirror + "\n" + string(i.tufRoot)))
	base := filepath.Join(dir, "tuf", i.name+"-"+id[:16])
	return cache{file: base + ".json", last: base + ".tried"}
}

// read returns the record, not yet verified; an empty one if there is none.
func (c cache) read() (record, error) {
	var rec record
	data, err := readRegular(c.file, maxRecordSize)
	if errors.Is(err, fs.ErrNotExist) {
		return rec, nil
	}
	if err != nil {
		return rec, err
	}
	if err := json.Unmarshal(data, &rec, json.RejectUnknownMembers(true)); err != nil {
		return record{}, err
	}
	return rec, nil
}

// write replaces the record.
func (c cache) write(rec record) error {
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	if len(data) > maxRecordSize {
		return fmt.Errorf("the record has %d bytes, more than %d", len(data), maxRecordSize)
	}
	return replace(c.file, data)
}

// due reports whether the mirror may be asked again. A time of the last try
// that cannot be read, or that is yet to come, does not count.
func (c cache) due(now time.Time) bool {
	data, err := readRegular(c.last, 64)
	if err != nil {
		return true
	}
	last, err := time.Parse(time.RFC3339, strings.TrimSpace(string(data)))
	return err != nil || last.After(now) || now.Sub(last) >= RefreshEvery
}

// claim remembers that the mirror is asked now, before it is: a try that fails,
// or is cut short, counts.
func (c cache) claim(now time.Time) error {
	return replace(c.last, []byte(now.UTC().Format(time.RFC3339)+"\n"))
}

// readRegular reads a file of at most limit bytes. Anything but a regular file
// is refused: a pipe would wait for ever.
func readRegular(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading only
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return data, err
}

// replace writes a temporary file beside path and renames it, so that no reader
// ever sees half of it. It does not wait for the disk: after a power cut the
// record may be gone, which is noticed when it is verified.
func replace(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	_, err = f.Write(data)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
