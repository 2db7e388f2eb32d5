package evidence

import (
	"errors"
	"io/fs"

	"github.com/signatus-dev/signatus/internal/gittuf"
)

// FetchGittuf brings gittuf's attestations into a clone.
const FetchGittuf = "git fetch origin " + gittuf.Ref + ":" + gittuf.Ref

// opening is a ref that is opened when it is first asked for.
type opening struct {
	done   bool
	read   *gittuf.Attestations // nil where there are none
	unread error                // why they cannot be read
}

// Changes looks for gittuf's envelopes about changes that lead to targets: trees, and
// commits that tags name. They are believed no more than files.
func (g *Git) Changes(targets []string) (found Found) {
	if len(targets) == 0 {
		return found
	}
	where := gittuf.Ref + " in " + g.name
	switch g.openGittuf(); {
	case g.gittuf.unread != nil:
		found.unreadableGit(where, g.gittuf.unread)
		return found
	case g.gittuf.read == nil:
		found.Looked = append(found.Looked, Place{Path: where, Absent: true})
		return found
	}
	envelopes, err := g.gittuf.read.To(targets)
	if err != nil {
		found.unreadableGit(where, err)
	}
	place := Place{Path: where, Absent: len(envelopes) == 0 && err == nil}
	for _, envelope := range envelopes {
		source := gittuf.Ref + ":" + envelope.Path
		if envelope.Err != nil {
			found.unreadableGit(source, envelope.Err)
			continue
		}
		place.Bundles += found.read(source, envelope.Data)
	}
	if place.Absent || place.Bundles > 0 {
		found.Looked = append(found.Looked, place)
	}
	return found
}

func (g *Git) openGittuf() {
	if g.gittuf.done {
		return
	}
	g.gittuf.done = true
	tip, err := g.repository.Ref(gittuf.Ref)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		g.gittuf.read, err = gittuf.Open(g.repository.Object, tip)
	}
	g.gittuf.unread = err
}
