package gitobject

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// The parts of a commit and a tag as git writes them.
const (
	treeLine    = "tree 10731d0b170b98481a00bdca161e874e0ab93377\n"
	peopleLines = "author Alice <alice@example.com> 1760000000 +0200\ncommitter Bob <bob@example.com> 1760000001 -0130\n"
	sshBlock    = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"
	sshHeader   = "gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\n"
	sha256Tree  = "tree 956378757e40145ac1b92402b6875734ed8acbdaffb26dc7f80c966dd2258d59\n"
	tagHead     = "object 95a93ab55241e7b75daaf4220077477db3256610\ntype commit\ntag v1.0.0\ntagger Alice <alice@example.com> 1760000000 +0000\n"
)

// TestSplit takes what git signs apart: the payload is every byte but the
// signature's own.
func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, raw, payload string
		format             Format
	}{
		{"SSH", treeLine + peopleLines + sshHeader + "\nfix\n", treeLine + peopleLines + "\nfix\n", SSH},
		{"in the middle of the headers", treeLine + peopleLines + sshHeader + "encoding latin1\n\nfix", treeLine + peopleLines + "encoding latin1\n\nfix", SSH},
		{"OpenPGP with an empty line", treeLine + peopleLines + "gpgsig -----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----\n \n\nfix\n", treeLine + peopleLines + "\nfix\n", OpenPGP},
		{"gitsign", treeLine + peopleLines + "gpgsig -----BEGIN SIGNED MESSAGE-----\n AAAA\n -----END SIGNED MESSAGE-----\n\n\n", treeLine + peopleLines + "\n\n", X509},
		{"SHA-256", sha256Tree + peopleLines + strings.Replace(sshHeader, "gpgsig", "gpgsig-sha256", 1) + "\nfix\n", sha256Tree + peopleLines + "\nfix\n", SSH},
		{"a tag", tagHead + "\nrelease\n" + sshBlock, tagHead + "\nrelease\n", SSH},
		{"a tag without a tagger", strings.Split(tagHead, "tagger")[0] + "\nrelease\n" + sshBlock, strings.Split(tagHead, "tagger")[0] + "\nrelease\n", SSH},
		{"armour that is indented in a message", treeLine + peopleLines + sshHeader + "\nrevert:\n " + sshBlock, treeLine + peopleLines + "\nrevert:\n " + sshBlock, SSH},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := Split([]byte(c.raw))
			if err != nil {
				t.Fatal(err)
			}
			if string(s.Payload) != c.payload || s.Format != c.format {
				t.Errorf("%s %q, expected %s %q", s.Format, s.Payload, c.format, c.payload)
			}
			if err := (Raw{Kind: s.Kind, Data: []byte(c.raw)}).Check(s.ID); err != nil {
				t.Errorf("the object is not named by its hash: %v", err)
			}
			if !LooksSigned([]byte(c.raw)) || bytes.Count(s.Signature, []byte("-----BEGIN")) != 1 {
				t.Errorf("the signature is %q", s.Signature)
			}
		})
	}
}

// TestSplitReads reads what the objects say.
func TestSplitReads(t *testing.T) {
	t.Parallel()
	parent := "1969281f50dcd67e5add4a02e3adb64105303408"
	s, err := Split([]byte(treeLine + "parent " + parent + "\n" + peopleLines + sshHeader + "\nfix\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := s.Commit
	if c.Tree != treeLine[5:45] || len(c.Parents) != 1 || c.Parents[0] != parent || string(c.Message) != "fix\n" ||
		c.Author != (Person{"Alice", "alice@example.com", time.Unix(1760000000, 0).UTC()}) || c.Committer.Name != "Bob" {
		t.Errorf("read %+v", c)
	}
	s, err = Split([]byte(tagHead + "\nrelease\n" + sshBlock))
	if err != nil {
		t.Fatal(err)
	}
	if s.Tag.Name != "v1.0.0" || s.Tag.Kind != CommitKind || string(s.Tag.Message) != "release\n" || s.Tag.Tagger.Email != "alice@example.com" {
		t.Errorf("read %+v", s.Tag)
	}
}

// TestSplitRefuses breaks one thing of a signed object in each row.
func TestSplitRefuses(t *testing.T) {
	t.Parallel()
	good := treeLine + peopleLines + sshHeader + "\nfix\n"
	for name, c := range map[string]struct{ raw, says string }{
		"unsigned":                       {treeLine + peopleLines + "\nfix\n", "carries no signature"},
		"unsigned, with armour in it":    {treeLine + peopleLines + "\nfix\n" + sshBlock, "signs nothing"},
		"a merged tag's signature":       {treeLine + peopleLines + "mergetag object 95a93ab55241e7b75daaf4220077477db3256610\n type commit\n tag v1\n \n " + strings.ReplaceAll(sshBlock, "\n", "\n ") + "\n\nfix\n", "is a tag's"},
		"two trees":                      {treeLine + good, "the header tree stands twice"},
		"a tree behind the peopleLines":  {treeLine + peopleLines + treeLine + sshHeader + "\nfix\n", "twice or out of place"},
		"two authors":                    {treeLine + strings.Repeat("author A <a> 1 +0000\n", 2) + "committer A <a> 1 +0000\n" + sshHeader + "\n", "the header author stands twice"},
		"a tree that is continued":       {strings.Replace(good, "\n", "\n x\n", 1), "expected the tree"},
		"two signature headers":          {treeLine + peopleLines + sshHeader + sshHeader + "\nfix\n", "two signature headers"},
		"headers of both hashes":         {treeLine + peopleLines + sshHeader + strings.Replace(sshHeader, "gpgsig", "gpgsig-sha256", 1) + "\nfix\n", "two signature headers"},
		"the other hash's header":        {treeLine + peopleLines + strings.Replace(sshHeader, "gpgsig", "gpgsig-sha256", 1) + "\nfix\n", "which signs another object"},
		"the other hash's, with SHA-256": {sha256Tree + peopleLines + sshHeader + "\nfix\n", "which signs another object"},
		"a header that git leaves out":   {treeLine + peopleLines + sshHeader + "gpgsigned evil\n\nfix\n", "two signature headers"},
		"two blocks in one header":       {treeLine + peopleLines + "gpgsig " + strings.TrimSuffix(strings.ReplaceAll(sshBlock+sshBlock, "\n", "\n "), " ") + "\nfix\n", "not one armoured block"},
		"text behind the block":          {treeLine + peopleLines + strings.TrimSuffix(sshHeader, "\n") + "\n evil\n\nfix\n", "not one armoured block"},
		"no end of the block":            {treeLine + peopleLines + "gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n\nfix\n", "not one armoured block"},
		"another kind of block":          {treeLine + peopleLines + "gpgsig -----BEGIN CERTIFICATE-----\n AAAA\n -----END CERTIFICATE-----\n\nfix\n", "expected an SSH, PGP or X.509"},
		"armour in the message":          {good + sshBlock, "second armoured signature"},
		"a zero byte":                    {treeLine + peopleLines + sshHeader + "\nfix\x00evil\n", "zero byte"},
		"no empty line":                  {treeLine + peopleLines + strings.TrimSuffix(sshHeader, "\n"), "empty line"},
		"a person without a date":        {treeLine + "author Alice <a>\ncommitter A <a> 1 +0000\n" + sshHeader + "\n", "its author"},
		"a person with two addresses":    {treeLine + "author Alice <a> <b> 1 +0000\ncommitter A <a> 1 +0000\n" + sshHeader + "\n", "its author"},
		"neither commit nor tag":         {"blob x\n", "neither a commit nor a tag"},
		"parents of the other hash":      {treeLine + "parent " + sha256Tree[5:69] + "\n" + peopleLines + sshHeader + "\n", "no object's name"},
		"a tag with two signatures":      {tagHead + "\nrelease\n" + sshBlock + sshBlock, "two armoured signatures"},
		"a tag's armour in its headers":  {tagHead + "-----BEGIN SSH SIGNATURE----- x\n\nrelease\n", "among its headers"},
		"a tag with a signature header":  {tagHead + sshHeader + "\nrelease\n" + sshBlock, "signs another object"},
		"a tag with text behind":         {tagHead + "\nrelease\n" + sshBlock + "evil\n", "not one armoured block"},
		"a tag that is unsigned":         {tagHead + "\nrelease\n", "carries no signature"},
		"a tag with two taggers":         {tagHead + "tagger Eve <e> 1 +0000\n\nrelease\n" + sshBlock, "twice or out of place"},
		"a tag whose name is continued":  {strings.Replace(tagHead, "v1.0.0\n", "v1.0.0\n x\n", 1) + "\nrelease\n" + sshBlock, "out of place"},
		"a tag of two objects":           {"object 95a93ab55241e7b75daaf4220077477db3256610\n" + tagHead + "\nrelease\n" + sshBlock, "out of place"},
		"more than the bound":            {treeLine + peopleLines + sshHeader + "\n" + strings.Repeat("x", MaxCommitBytes), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Split([]byte(c.raw))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected an error that says %q", err, c.says)
			}
			if unsigned := strings.Contains(c.says, "signature") && strings.Contains(name, "unsigned"); unsigned && !errors.Is(err, ErrUnsigned) {
				t.Errorf("%v is not ErrUnsigned", err)
			}
		})
	}
}

// TestSplitIsLinear takes a commit at the bound whose every line continues a header.
func TestSplitIsLinear(t *testing.T) {
	t.Parallel()
	raw := []byte(treeLine + peopleLines + "mergetag x\n" + strings.Repeat(" \n", MaxCommitBytes/2-300) + sshHeader + "\n")
	start := time.Now()
	if _, err := Split(raw); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("%s for %d bytes", took, len(raw))
	}
}

// FuzzSplit holds what is taken apart to what went in.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(treeLine + peopleLines + sshHeader + "\nfix\n"))
	f.Add([]byte(tagHead + "\nrelease\n" + sshBlock))
	f.Add([]byte(sha256Tree + peopleLines + strings.Replace(sshHeader, "gpgsig", "gpgsig-sha256", 1) + "\nfix\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Split(data)
		if err != nil {
			return
		}
		if err := (Raw{Kind: s.Kind, Data: data}).Check(s.ID); err != nil {
			t.Errorf("the object is not named by its hash: %v", err)
		}
		if len(s.Payload) >= len(data) || len(s.Signature) == 0 || len(armoured(s.Signature)) != 1 {
			t.Errorf("%d bytes give %d and the signature %q", len(data), len(s.Payload), s.Signature)
		}
		again, err := Split(data)
		if err != nil || !bytes.Equal(again.Payload, s.Payload) {
			t.Error("it is not taken apart in one way")
		}
		if bytes.Contains(s.Payload, []byte("\ngpgsig")) && s.Kind == CommitKind {
			head, _, _ := bytes.Cut(s.Payload, []byte("\n\n"))
			if bytes.Contains(head, []byte("\ngpgsig")) {
				t.Errorf("a signature header is left in the payload: %q", head)
			}
		}
	})
}
