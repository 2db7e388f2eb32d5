package trust

import (
	"embed"
	"fmt"
	"time"
)

//go:embed embedded/*.json
var embeddedFiles embed.FS

// instance is a Sigstore whose root is embedded and refreshed by TUF.
type instance struct {
	name     string
	mirror   string    // base URL of the TUF repository
	material []byte    // the embedded trusted root, JSON
	date     time.Time // the day on which material was the newest
	targets  int64     // the version of targets.json that named material; 0 where it is not known
	tufRoot  []byte    // the TUF root that every newer root must descend from
}

// embeddedInstances is the one list of instances that need no telling. Sources
// and digests of the files: embedded/SOURCES.md.
func embeddedInstances() []instance {
	return []instance{{
		name:     Sigstore,
		mirror:   "https://tuf-repo-cdn.sigstore.dev",
		material: embeddedFile("sigstore.trusted_root.json"),
		date:     time.Date(2026, time.August, 21, 0, 0, 0, 0, time.UTC),
		targets:  14,
		tufRoot:  embeddedFile("sigstore.tuf_root.json"),
	}, {
		name:     GitHub,
		mirror:   "https://tuf-repo.github.com",
		material: embeddedFile("github.trusted_root.json"),
		date:     time.Date(2026, time.June, 29, 0, 0, 0, 0, time.UTC),
		tufRoot:  embeddedFile("github.tuf_root.json"),
	}}
}

// embeddedFile returns a file that the compiler has put into the binary. An
// empty answer for a name that is not there is refused by every reader of it.
func embeddedFile(name string) []byte {
	data, err := embeddedFiles.ReadFile("embedded/" + name)
	if err != nil {
		return nil
	}
	return data
}

// embedded is the root that was built in.
func (i instance) embedded() (Root, error) {
	material, err := parseOne(i.material)
	if err != nil {
		return Root{}, fmt.Errorf("reading the embedded trusted root %s: %w", i.name, err)
	}
	return Root{
		Name:     i.name,
		Material: material,
		Source:   "embedded, " + i.date.Format(time.DateOnly),
		Date:     i.date,
		SHA256:   digest(i.material),
	}, nil
}
