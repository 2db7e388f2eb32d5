package registry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// trying tries something until it succeeds or may not succeed any more. Its error is an
// *Error.
func (c *Client) trying(parent context.Context, what asking, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(parent, c.budget)
	defer cancel()
	var waited time.Duration
	for n := 1; ; n++ {
		seen := &heard{}
		err := c.once(ctx, seen, try)
		if err == nil {
			return nil
		}
		failed := c.explain(what, err)
		failed.Attempts = n
		wait := max(c.wait(n), seen.comeBack(c.options.Now))
		waited += wait
		again := failed.Temporary && n < maxAttempts
		if again && waited <= c.budget && ctx.Err() == nil {
			if c.options.Again != nil {
				c.options.Again(failed, wait)
			}
			if c.options.Sleep(ctx, wait) == nil {
				continue
			}
		}
		switch {
		case parent.Err() != nil:
			failed.Err, failed.Temporary, failed.Next = fmt.Errorf("interrupted: %w", context.Cause(parent)), true, "run it again"
		case again && waited > c.budget:
			failed.Next = fmt.Sprintf("it asks to come back in %s", wait.Round(time.Second))
		}
		return failed
	}
}

const (
	maxAttempts = 5
	firstWait   = 500 * time.Millisecond // doubles with each attempt
)

// wait grows with the attempts, and is drawn from its upper half.
func (c *Client) wait(attempt int) time.Duration {
	full := firstWait << (attempt - 1)
	return full/2 + jitter(full/2)
}

// once tries something one time, and notes in seen what its last answer says.
func (c *Client) once(ctx context.Context, seen *heard, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, heardKey{}, seen), c.attempt)
	defer cancel()
	return try(ctx)
}

// jitter is a share of a wait, so that many clients do not come back as one.
func jitter(d time.Duration) time.Duration {
	return time.Duration(rand.Int64N(int64(d) + 1)) //nolint:gosec // jitter is no secret
}
