package housetest

import (
	"bytes"
	"fmt"
	"testing"
)

// TestNoForeignNames refuses, in every text file of the tree, the paths of
// somebody's machine and the hosts of package registries: the first mean
// nothing to another reader, the second are the business of each registry's
// client and of its user's settings.
func TestNoForeignNames(t *testing.T) {
	t.Parallel()
	tree(t, func(name string, content []byte) {
		for _, problem := range foreignNames(content) {
			t.Errorf("%s:%s", name, problem)
		}
	})
}

// TestForeignNamesAreSeen shows what is refused and what only looks like it.
func TestForeignNamesAreSeen(t *testing.T) {
	t.Parallel()
	for _, folder := range folders() {
		for _, text := range []string{folder + "x", "see " + folder, `"` + folder + `y"`, "a=" + folder, "file://" + folder} {
			if len(foreignNames([]byte(text))) != 1 {
				t.Errorf("%q is allowed", text)
			}
		}
		for _, text := range []string{"internal" + folder + "x", "https://example.com" + folder, "./a" + folder, "${x}" + folder, "\x00" + folder} {
			if len(foreignNames([]byte(text))) != 0 {
				t.Errorf("%q is refused", text)
			}
		}
	}
	for _, host := range hosts() {
		for _, text := range []string{host, "https://" + host + "/x", string(bytes.ToUpper([]byte(host)))} {
			if len(foreignNames([]byte("first line\n"+text))) != 1 {
				t.Errorf("%q is allowed", text)
			}
		}
	}
	if problems := foreignNames([]byte("a\nb " + folders()[0])); len(problems) != 1 || problems[0][:2] != "2:" {
		t.Errorf("%q does not give the line, expected 2", problems)
	}
}

// folders and hosts are put together here, so that this file does not hold what
// it forbids.
func folders() []string {
	var out []string
	for _, name := range []string{"work", "root", "home", "Users"} {
		out = append(out, "/"+name+"/")
	}
	return out
}

func hosts() []string {
	var out []string
	for _, parts := range [][2]string{
		{"registry.", "npmjs.org"}, {"registry.", "npmjs.com"}, {"registry.", "yarnpkg.com"},
		{"proxy.", "golang.org"}, {"deb.", "debian.org"}, {"security.", "debian.org"},
	} {
		out = append(out, parts[0]+parts[1])
	}
	return out
}

// foreignNames lists the forbidden names in a text with their lines. Files that
// hold a zero byte are not text.
func foreignNames(content []byte) (problems []string) {
	if bytes.IndexByte(content, 0) >= 0 {
		return nil
	}
	number := 0
	for line := range bytes.Lines(content) {
		number++
		for _, folder := range folders() {
			if startsPath(line, folder) {
				problems = append(problems, fmt.Sprintf("%d: a path of a machine below %s", number, folder))
			}
		}
		for _, host := range hosts() {
			if bytes.Contains(bytes.ToLower(line), []byte(host)) {
				problems = append(problems, fmt.Sprintf("%d: the host of a package registry, %s", number, host))
			}
		}
	}
	return problems
}

// startsPath tells whether folder stands in the line as the beginning of a
// path, and not inside of one: a folder of the tree may have the same name.
func startsPath(line []byte, folder string) bool {
	for from := 0; ; {
		i := bytes.Index(line[from:], []byte(folder))
		if i < 0 {
			return false
		}
		at := from + i
		if at == 0 || !inPath(line[at-1]) || bytes.HasSuffix(line[:at], []byte("://")) {
			return true
		}
		from = at + 1
	}
}

func inPath(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || bytes.IndexByte([]byte("_.-/~}%+@"), c) >= 0
}
