package trust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// fetcher asks one mirror.
type fetcher struct {
	http   *http.Client
	mirror string
}

// errNotThere is a mirror's 404. It is how a TUF repository says that there is
// no newer root.
var errNotThere = errors.New("the mirror does not have it (HTTP 404)")

// networkError is a failure to get an answer, as against a wrong answer.
type networkError struct{ err error }

func (e *networkError) Error() string { return e.err.Error() }
func (e *networkError) Unwrap() error { return e.err }

// get returns the file of that name below the mirror's URL, at most limit bytes
// of it, or [errNotThere]. It ends with ctx, however slowly the mirror drips.
func (f fetcher) get(ctx context.Context, name string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(f.mirror, "/")+"/"+name, nil)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", name, err)
	}
	fail := func(err error) ([]byte, error) {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, &networkError{fmt.Errorf("fetching %s: %w", name, err)}
	}
	res, err := f.http.Do(req)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, fmt.Errorf("fetching %s: %w", name, errNotThere)
	default:
		return fail(fmt.Errorf("HTTP %d", res.StatusCode))
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return fail(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("fetching %s: more than the %d bytes it may have", name, limit)
	}
	return data, nil
}
