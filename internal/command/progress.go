package command

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signatus-dev/signatus/internal/report"
)

// progress draws a bar on stderr for work that takes longer than a second. Off a
// terminal it draws nothing.
type progress struct {
	env   Env
	label string
	total int64 // 0 when unknown
	count bool  // it counts pieces, not bytes

	mu     sync.Mutex
	done64 int64
	start  time.Time
	drawn  time.Time
	now    func() time.Time
}

// newProgress begins a piece of work. The bar's clock is the machine's: it
// decides nothing.
func newProgress(env Env, label string, total int64) *progress {
	p := &progress{env: env, label: report.Clean(label), total: total, now: time.Now} //nolint:forbidigo // for the eye only
	p.start = p.now()
	return p
}

// reader counts what is read through it.
func (p *progress) reader(r io.Reader) io.Reader {
	if !p.env.StderrIsTerminal {
		return r
	}
	return readerFunc(func(b []byte) (int, error) {
		n, err := r.Read(b)
		p.add(int64(n))
		return n, err
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// amount is a number of pieces or of bytes.
func (p *progress) amount(n int64) string {
	if p.count {
		return strconv.FormatInt(n, 10)
	}
	return size(n)
}

// add draws at most ten times a second, and not in the first one.
func (p *progress) add(n int64) {
	if !p.env.StderrIsTerminal {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done64 += n
	now := p.now()
	if now.Sub(p.start) < time.Second || now.Sub(p.drawn) < time.Second/10 {
		return
	}
	p.drawn = now
	const width = 30
	if p.total <= 0 {
		_, _ = fmt.Fprintf(p.env.Stderr, "\r%s %s\x1b[K", p.label, p.amount(p.done64))
		return
	}
	filled := int(min(p.done64, p.total) * width / p.total)
	_, _ = fmt.Fprintf(p.env.Stderr, "\r%s [%s%s] %d%% of %s\x1b[K", p.label,
		strings.Repeat("#", filled), strings.Repeat(" ", width-filled), min(p.done64, p.total)*100/p.total, p.amount(p.total))
}

// done removes the bar.
func (p *progress) done() {
	if p.env.StderrIsTerminal {
		_, _ = fmt.Fprint(p.env.Stderr, "\r\x1b[K")
	}
}

func size(n int64) string {
	const unit = 1 << 10
	switch {
	case n >= unit*unit*unit:
		return fmt.Sprintf("%.1f GiB", float64(n)/(unit*unit*unit))
	case n >= unit*unit:
		return fmt.Sprintf("%.1f MiB", float64(n)/(unit*unit))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/unit)
}
