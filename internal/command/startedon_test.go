package command

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// TestStartedOn: the build starts when the runner wrote the event, unless the caller
// says when, and no time is made up.
func TestStartedOn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		written time.Time
		said    string
		want    time.Time
	}{
		"an hour ago":               {written: now.Add(-time.Hour), want: now.Add(-time.Hour)},
		"now":                       {written: now, want: now},
		"at the limit of a run":     {written: now.Add(-longestRun), want: now.Add(-longestRun)},
		"before a run can begin":    {written: now.Add(-longestRun - time.Second)},
		"without a time":            {written: time.Unix(0, 0)},
		"in the future":             {written: now.Add(time.Second)},
		"the caller knows better":   {written: now, said: "2026-11-20T09:00:00Z", want: now.Add(-time.Hour)},
		"the caller knows it alone": {written: time.Unix(0, 0), said: "2026-11-20T09:00:00Z", want: now.Add(-time.Hour)},
	} {
		env := Env{
			Now: now, Getenv: func(string) string { return "event.json" },
			FS: fstest.MapFS{"event.json": {Data: []byte("{}"), ModTime: row.written}},
		}
		got, err := (&predicateFlags{started: row.said}).startedOn(env)
		if err != nil || !got.Equal(row.want) {
			t.Errorf("%s: got %v, %v; expected %v", name, got, err, row.want)
		}
	}
}

// TestAskedAbout: commits that are not asked about are told, and those that are stay as
// they were ranked.
func TestAskedAbout(t *testing.T) {
	t.Parallel()
	var commits []string
	for i := range maxWords + 2 {
		commits = append(commits, strconv.Itoa(i))
	}
	for _, n := range []int{0, 1, maxWords} {
		if asked, warnings := askedAbout(commits[:n]); !slices.Equal(asked, commits[:n]) || warnings != nil {
			t.Errorf("%d commits: asked about %d, warnings %q", n, len(asked), warnings)
		}
	}
	asked, warnings := askedAbout(commits)
	if !slices.Equal(asked, commits[:maxWords]) || len(warnings) != 1 || !strings.Contains(warnings[0], "name 18 commits") || !strings.Contains(warnings[0], "such as 16, hand it over with --bundle") {
		t.Errorf("asked about %d, warnings %q", len(asked), warnings)
	}
}
