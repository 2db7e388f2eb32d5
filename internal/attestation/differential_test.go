package attestation

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// mutations is how many mutants TestDifferential tries, and how many with
// -short or under the race detector.
const (
	mutations      = 10000
	mutationsShort = 500
)

// specimen is one bundle of the corpus as sigstore-go's own JSON, with the root
// and the key that it is verified with.
type specimen struct {
	name     string
	data     []byte
	tree     map[string]any
	rootName string
	key      *Key
	issued   time.Time // the leaf's notBefore
}

func specimens(t *testing.T, c *corpus) []specimen {
	t.Helper()
	var all []specimen
	for _, row := range c.rows {
		candidate, err := row.piece(Candidates(row.path, c.read(t, row.path)))
		if err != nil || candidate.entity.bundle == nil { // a key alone opens it; sigstore-go does not
			continue
		}
		if _, _, err := c.material(t, row.root); err != nil {
			continue
		}
		pb := candidate.entity.bundle.Bundle
		s := specimen{name: candidate.Source(), rootName: row.root, issued: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
		if s.data, err = protojson.Marshal(pb); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(s.data, &s.tree); err != nil {
			t.Fatal(err)
		}
		if _, err := candidate.entity.parse(); err == nil && candidate.entity.leaf != nil {
			s.issued = candidate.entity.leaf.NotBefore
		}
		if hint := pb.GetVerificationMaterial().GetPublicKey(); hint != nil && row.key != "" {
			if key, err := c.publicKey(t, row, hint.GetHint()); err == nil {
				s.key = &key
			}
		}
		all = append(all, s)
	}
	return all
}

// judges holds what both sides said.
type judges struct {
	mu       sync.Mutex
	both     map[string]int // accepted by both, refused by both
	stricter map[string]int // accepted by plain sigstore-go only, by our reason
}

// compare opens a bundle on both sides. "We accept" must mean that plain
// sigstore-go accepts; where it accepts and we do not, the reason must be one
// of ours by name.
func (j *judges) compare(t *testing.T, name string, data []byte, material root.TrustedMaterial, r *Root, key *Key) {
	t.Helper()
	ours := openAny(data, r, key)
	var constrained root.TimeConstrainedVerifier
	if key != nil {
		verifier, err := key.verifier(bytes.Contains(data, []byte(`"messageSignature"`)))
		if err != nil {
			t.Fatal(err)
		}
		constrained = root.NewExpiringKey(verifier, time.Time{}, time.Time{})
	}
	plain := plainOpen(data, material, constrained)
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case ours == nil && plain == nil:
		j.both["accepted by both"]++
	case ours == nil:
		t.Errorf("%s: accepted, but plain sigstore-go refuses: %v\n%s", name, plain, data)
	case plain != nil:
		j.both["refused by both"]++
	default:
		reason := stricterReason(ours)
		if reason == "" {
			t.Errorf("%s: plain sigstore-go accepts, and we have no name for our refusal: %v\n%s", name, ours, data)
		}
		j.stricter[reason]++
	}
}

// stricterReason names why we refuse what plain sigstore-go accepts; empty for
// none of our reasons.
func stricterReason(err error) string {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		return ""
	}
	afterwards := []verdict.ID{verdict.StatementMalformed, verdict.DescriptorConflict, verdict.CertificateMalformed}
	words := strings.Fields(refusal.Finding().Found)
	switch {
	case slices.Contains(afterwards, refusal.ID):
		return string(refusal.ID) + ": " + strings.Join(words[:min(8, len(words))], " ")
	case refusal.ID == verdict.BundleMalformed && strings.Contains(err.Error(), "message digest"):
		// sigstore-go takes the name of the digest's algorithm for a hint; here it
		// names the subject's digest.
		return string(refusal.ID) + ": the digest does not fit the algorithm named for it"
	}
	return ""
}

func openAny(data []byte, r *Root, key *Key) error {
	found, refused := Candidates("bundle", data)
	if len(refused) > 0 {
		return refused[0]
	}
	if len(found) != 1 {
		return fmt.Errorf("%d candidates", len(found))
	}
	var err error
	if key != nil {
		_, err = OpenWithKey(found[0], *key, r)
	} else {
		_, err = Open(found[0], r)
	}
	return err
}

// TestDifferential holds this package to plain sigstore-go over the corpus and
// over mutants of it.
func TestDifferential(t *testing.T) {
	t.Parallel()
	c := readCorpus(t)
	all := specimens(t, c)
	j := &judges{both: map[string]int{}, stricter: map[string]int{}}
	names := slices.Sorted(maps.Keys(c.roots))
	roots := make([]*prototrustroot.TrustedRoot, len(names))
	for i, name := range names {
		roots[i] = &prototrustroot.TrustedRoot{}
		if err := protojson.Unmarshal(c.read(t, name), roots[i]); err != nil {
			t.Fatal(err)
		}
	}

	parallel(len(all), func(i int) {
		material, r, err := c.material(t, all[i].rootName)
		if err != nil {
			t.Error(err)
			return
		}
		j.compare(t, all[i].name, all[i].data, material, r, all[i].key)
	})
	t.Logf("corpus: %d bundles; %v; stricter: %v", len(all), j.both, j.stricter)

	count := mutations
	if testing.Short() || raceEnabled {
		count = mutationsShort
	}
	j.both, j.stricter = map[string]int{}, map[string]int{}
	parallel(count, func(i int) {
		rng := rand.New(rand.NewPCG(20261123, uint64(i)))
		s, donor := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
		what, tree := "none", s.tree
		material, r, err := c.material(t, s.rootName)
		if err != nil {
			t.Error(err)
			return
		}
		switch n := rng.IntN(10); {
		case n < 1: // another root
			material, r, _ = c.material(t, names[rng.IntN(len(names))])
		case n < 4: // the same root with other windows
			index := slices.Index(names, s.rootName)
			if index < 0 {
				index = 0
			}
			changed, how := mutateRoot(rng, roots[index], s.issued)
			if m, err := root.NewTrustedRootFromProtobuf(changed); err == nil {
				if changedRoot, err := NewRoot("changed", m); err == nil {
					material, r, what = m, changedRoot, how
				}
			}
		}
		if rng.IntN(5) > 0 || what == "none" {
			var how string
			tree, how = mutate(rng, s.tree, donor.tree)
			what += ", " + how
		}
		data, err := json.Marshal(tree)
		if err != nil {
			t.Error(err)
			return
		}
		j.compare(t, fmt.Sprintf("%s, mutation %d (%s)", s.name, i, what), data, material, r, s.key)
	})
	t.Logf("%d mutations: %v; stricter: %v", count, j.both, j.stricter)
	if j.both["accepted by both"] == 0 || j.both["refused by both"] == 0 {
		t.Error("the mutations reach one answer only")
	}
}

// mutateRoot changes the validity of one part of a root, near the instant at
// which a certificate was issued, or takes the part out.
func mutateRoot(rng *rand.Rand, original *prototrustroot.TrustedRoot, issued time.Time) (*prototrustroot.TrustedRoot, string) {
	changed := proto.CloneOf(original)
	near := func() *timestamppb.Timestamp {
		steps := []time.Duration{0, time.Second, -time.Second, 3 * time.Second, 5 * time.Minute, 10 * time.Minute, 11 * time.Minute, -time.Hour, 24 * time.Hour, -24 * time.Hour, 365 * 24 * time.Hour}
		return timestamppb.New(issued.Add(steps[rng.IntN(len(steps))]))
	}
	authorities := [][]*prototrustroot.CertificateAuthority{changed.CertificateAuthorities, changed.TimestampAuthorities}
	logs := [][]*prototrustroot.TransparencyLogInstance{changed.Tlogs, changed.Ctlogs}
	which := rng.IntN(2)
	if rng.IntN(2) == 0 && len(authorities[which]) > 0 {
		ca := authorities[which][rng.IntN(len(authorities[which]))]
		if ca.ValidFor != nil && rng.IntN(2) == 0 {
			ca.ValidFor.Start = near()
		} else if ca.ValidFor != nil {
			ca.ValidFor.End = near()
		}
		if chain := ca.GetCertChain().GetCertificates(); rng.IntN(4) == 0 && len(chain) > 2 {
			ca.CertChain.Certificates = slices.Delete(chain, 1, 2)
			return changed, "root: an intermediate less"
		}
		return changed, "root: an authority's window"
	}
	if len(logs[which]) == 0 {
		return changed, "root: nothing"
	}
	log := logs[which][rng.IntN(len(logs[which]))]
	if log.PublicKey.ValidFor == nil {
		return changed, "root: nothing"
	}
	if rng.IntN(2) == 0 {
		log.PublicKey.ValidFor.Start = near()
	} else {
		log.PublicKey.ValidFor.End = near()
	}
	return changed, "root: a log's window"
}

// field is a place in a bundle's JSON.
type field struct {
	path string
	in   any // map[string]any or []any
	key  string
	at   int
}

func (f field) get() any {
	if m, ok := f.in.(map[string]any); ok {
		return m[f.key]
	}
	return f.in.([]any)[f.at]
}

func (f field) set(v any) {
	if m, ok := f.in.(map[string]any); ok {
		m[f.key] = v
		return
	}
	f.in.([]any)[f.at] = v
}

// fields lists every place of a tree, in a stable order.
func fields(path string, node any) []field {
	var all []field
	switch node := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			all = append(all, field{path: path + "/" + key, in: node, key: key})
			all = append(all, fields(path+"/"+key, node[key])...)
		}
	case []any:
		for i := range node {
			all = append(all, field{path: path + "/#", in: node, at: i})
			all = append(all, fields(path+"/#", node[i])...)
		}
	}
	return all
}

// mutate changes one to three places of a copy of the bundle.
func mutate(rng *rand.Rand, original, donor map[string]any) (map[string]any, string) {
	tree := clone(original).(map[string]any)
	var what []string
	for range 1 + rng.IntN(6)/4 {
		all := fields("", tree)
		f := all[rng.IntN(len(all))]
		what = append(what, f.path+" "+mutateField(rng, f, tree, donor))
	}
	return tree, strings.Join(what, ", ")
}

func clone(node any) any {
	switch node := node.(type) {
	case map[string]any:
		out := make(map[string]any, len(node))
		for key, value := range node {
			out[key] = clone(value)
		}
		return out
	case []any:
		out := make([]any, len(node))
		for i, value := range node {
			out[i] = clone(value)
		}
		return out
	}
	return node
}

func mutateField(rng *rand.Rand, f field, tree, donor map[string]any) string {
	switch n := rng.IntN(10); {
	case n == 0:
		if m, ok := f.in.(map[string]any); ok {
			delete(m, f.key)
			return "deleted"
		}
	case n <= 2: // the donor's piece in the same place
		for _, theirs := range fields("", donor) {
			if theirs.path == f.path {
				f.set(clone(theirs.get()))
				return "of another bundle"
			}
		}
	case n == 3:
		if list, ok := f.get().([]any); ok && len(list) > 0 {
			f.set(append(slices.Clone(list), clone(list[rng.IntN(len(list))])))
			return "doubled"
		}
	case n == 4: // the donor's elements beside ours
		for _, theirs := range fields("", donor) {
			list, ok := theirs.get().([]any)
			if mine, isList := f.get().([]any); ok && isList && theirs.path == f.path {
				f.set(append(slices.Clone(mine), clone(list).([]any)...))
				return "with those of another bundle"
			}
		}
	}
	text, ok := f.get().(string)
	if !ok {
		return "kept"
	}
	f.set(mutateText(rng, f.key, text))
	return "changed"
}

// mutateText changes one value in the manner of its kind.
func mutateText(rng *rand.Rand, key, text string) string {
	switch key {
	case "mediaType":
		versions := []string{"+json;version=0.1", "+json;version=0.2", "+json;version=0.3", ".v0.3+json", ".v0.3.1+json", ".v0.4+json", ".v0.2+json"}
		return mediaType + versions[rng.IntN(len(versions))]
	case "kind", "version", "algorithm", "payloadType", "keyid", "hint":
		values := []string{"dsse", "intoto", "hashedrekord", "0.0.1", "0.0.2", "SHA2_256", "SHA2_512", "SHA2_384", "application/vnd.in-toto+json", "text/plain", ""}
		return values[rng.IntN(len(values))]
	case "envelope":
		return mutateCheckpoint(rng, text)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		steps := []int64{1, -1, 60, -60, 600, 3600, -3600, 86400, -n, -2 * n, 1 << 40}
		return strconv.FormatInt(n+steps[rng.IntN(len(steps))], 10)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return text + "x"
	}
	switch rng.IntN(12) {
	case 0:
		raw = raw[:rng.IntN(len(raw))]
	case 1:
		raw = append(raw, byte(rng.IntN(256)))
	case 2: // white space in a JSON payload changes the bytes, not the meaning
		raw = append(raw, '\n')
	default:
		raw[rng.IntN(len(raw))] ^= 1 << rng.IntN(8)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func mutateCheckpoint(rng *rand.Rand, text string) string {
	lines := strings.Split(text, "\n")
	switch i := rng.IntN(len(lines)); rng.IntN(4) {
	case 0:
		lines = slices.Delete(lines, i, i+1)
	case 1:
		lines = slices.Insert(lines, i, lines[i])
	case 2:
		lines = append(lines, "— "+"example.com AAAAAAAA")
	default:
		if len(lines[i]) > 0 {
			b := []byte(lines[i])
			b[rng.IntN(len(b))] ^= 1
			lines[i] = string(b)
		}
	}
	return strings.Join(lines, "\n")
}
