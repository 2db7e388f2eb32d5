package layout

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// This file holds Check against a reference that is as simple as it is slow: it
// tries every choice of statements for every item of every step, and reads
// docs/layout.md's sentences one by one. It shares no code with the product; tiny
// random layouts are given to both, to one as text, to the other as they are.

// A tiny world has four keys, of which k0 and k3 are one person's, up to three
// steps, and four things with two digests each.
type (
	tinyRule struct {
		kind, pattern, from string
		products            bool // MATCH ... WITH PRODUCTS
	}
	tinyEntry struct {
		kind      string // link, scan or provenance
		keys      []string
		threshold int
	}
	tinyStep struct {
		name                string
		materials, products []tinyRule
		entries             []tinyEntry
		distinct            []string
	}
	tinyStatement struct {
		kind, step, key     string // step is a link's name
		materials, products map[string]string
	}
	tinyWorld struct {
		steps      []tinyStep
		from       []string // the steps that subjects come from
		statements []tinyStatement
	}
)

const (
	tinyGit    = "git+https://github.com/acme/app"
	tinyDigest = "1111111111111111111111111111111111111111111111111111111111111111" // the artifact in hand
)

func tinyPerson(key string) string {
	if key == "k0" || key == "k3" {
		return "anna"
	}
	return key
}

// allowedBySpec decides a world by trying everything.
func (w tinyWorld) allowedBySpec() bool {
	return slices.ContainsFunc(w.from, w.allowedFrom)
}

type tinySlot struct {
	step  tinyStep
	entry tinyEntry
	// candidates are the sets of statements that could count for the entry.
	candidates [][]tinyStatement
	chosen     []tinyStatement
}

func (w tinyWorld) allowedFrom(anchor string) bool {
	var slots []*tinySlot
	for _, step := range w.connected(anchor) {
		for _, entry := range step.entries {
			slot := &tinySlot{step: step, entry: entry}
			var eligible []tinyStatement
			for _, s := range w.statements {
				// "A statement belongs to a step by predicate type, signer and subject
				// [...]; a link's name must be the step's." "The artifact's digest is a
				// subject of every statement counted for subjects.from."
				subjects := s.products
				if s.kind == "scan" {
					subjects = s.materials
				}
				if s.kind == entry.kind && slices.Contains(entry.keys, s.key) && (s.kind != "link" || s.step == step.name) &&
					(step.name != anchor || slices.Contains(slices.Collect(maps.Values(subjects)), tinyDigest)) {
					eligible = append(eligible, s)
				}
			}
			for bits := 1; bits < 1<<len(eligible); bits++ {
				var chosen []tinyStatement
				for i, s := range eligible {
					if bits&(1<<i) != 0 {
						chosen = append(chosen, s)
					}
				}
				if agree(chosen) && len(peopleOf(chosen)) >= entry.threshold {
					slot.candidates = append(slot.candidates, chosen)
				}
			}
			slots = append(slots, slot)
		}
	}
	return someChoice(slots, 0, anchor)
}

// agree: "threshold distinct principals make statements with equal normalised
// materials and products".
func agree(statements []tinyStatement) bool {
	for _, s := range statements {
		if !maps.Equal(s.materials, statements[0].materials) || !maps.Equal(s.products, statements[0].products) {
			return false
		}
	}
	return true
}

func peopleOf(statements []tinyStatement) map[string]bool {
	people := map[string]bool{}
	for _, s := range statements {
		people[tinyPerson(s.key)] = true
	}
	return people
}

func someChoice(slots []*tinySlot, i int, anchor string) bool {
	if i == len(slots) {
		return holds(slots, anchor)
	}
	for _, c := range slots[i].candidates {
		slots[i].chosen = c
		if someChoice(slots, i+1, anchor) {
			return true
		}
	}
	return false
}

// holds judges one assignment.
func holds(slots []*tinySlot, anchor string) bool {
	type edge struct{ a, b *tinySlot }
	var edges []edge
	for _, slot := range slots {
		for _, s := range slot.chosen { // "the rules run for each counted statement"
			for _, side := range []struct {
				rules []tinyRule
				of    map[string]string
			}{{slot.step.materials, s.materials}, {slot.step.products, s.products}} {
				if s.kind == "scan" && side.of == nil {
					continue // "expectedProducts does not apply"
				}
				queue := slices.Sorted(maps.Keys(side.of))
				for _, r := range side.rules {
					if r.kind == "REQUIRE" && !slices.Contains(queue, r.pattern) {
						return false
					}
					if r.kind == "DISALLOW" && slices.ContainsFunc(queue, func(n string) bool { return naive(r.pattern, n) }) {
						return false
					}
					queue = slices.DeleteFunc(slices.Clone(queue), func(name string) bool {
						m, isMaterial := s.materials[name]
						p, isProduct := s.products[name]
						switch {
						case !naive(r.pattern, name):
							return false
						case r.kind == "ALLOW":
							return true
						case r.kind == "CREATE":
							return isProduct && !isMaterial
						case r.kind == "DELETE":
							return isMaterial && !isProduct
						case r.kind == "MODIFY":
							return isMaterial && isProduct && (m != p || m == "")
						case r.kind != "MATCH":
							return false
						}
						// "MATCH sees only the other step's counted statements": all that have
						// the name must agree, "empty never equals empty".
						with := []*tinySlot{}
						for _, other := range slots {
							for _, o := range other.chosen {
								theirs := o.materials
								if r.products {
									theirs = o.products
								}
								digest, has := theirs[name]
								if other.step.name != r.from || !has {
									continue
								}
								if digest == "" || digest != side.of[name] {
									return false
								}
								with = append(with, other)
							}
						}
						for _, other := range with {
							// "For every other predicate type [...] it counts only when a subject
							// is the artifact in hand, or is matched to the joined commit."
							if slot.entry.kind != "scan" && other.entry.kind != "scan" || name == tinyGit || side.of[name] == tinyDigest {
								edges = append(edges, edge{slot, other})
							}
						}
						return len(with) > 0
					})
				}
			}
		}
	}
	// Everything is joined with the artifact.
	reached := map[*tinySlot]bool{}
	for _, slot := range slots {
		if slot.step.name == anchor {
			reached[slot] = true
		}
	}
	for range slots {
		for _, e := range edges {
			if reached[e.a] || reached[e.b] {
				reached[e.a], reached[e.b] = true, true
			}
		}
	}
	if len(reached) != len(slots) {
		return false
	}
	// "distinctFrom compares principals."
	for _, a := range slots {
		for _, b := range slots {
			if slices.Contains(a.step.distinct, b.step.name) {
				for p := range peopleOf(a.chosen) {
					if peopleOf(b.chosen)[p] {
						return false
					}
				}
			}
		}
	}
	return true
}

// naive is in-toto's fnmatch, for patterns of literals, ? and *.
func naive(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		return naive(pattern[1:], name) || name != "" && naive(pattern, name[1:])
	case name == "":
		return false
	}
	return (pattern[0] == '?' || pattern[0] == name[0]) && naive(pattern[1:], name[1:])
}

// connected lists the steps that MATCH rules connect with the anchor.
func (w tinyWorld) connected(anchor string) []tinyStep {
	in := map[string]bool{anchor: true}
	for range w.steps {
		for _, s := range w.steps {
			for _, r := range slices.Concat(s.materials, s.products) {
				if r.kind == "MATCH" && (in[s.name] || in[r.from]) {
					in[s.name], in[r.from] = true, true
				}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(w.steps), func(s tinyStep) bool { return !in[s.name] })
}

// text writes the world's layout as its author would.
func (w tinyWorld) text(t testing.TB) string {
	var b strings.Builder
	b.WriteString("_type: layout\nversion: 1\nexpires: \"2027-03-01T00:00:00Z\"\nfunctionaries:\n")
	for _, key := range []string{"k0", "k1", "k2", "k3"} {
		fmt.Fprintf(&b, "  %s: {keyType: ecdsa, keyVal: {public: %q}}\n", key, keyPEM(t, key))
	}
	b.WriteString("principals: {anna: {functionaries: [k0, k3]}}\nsteps:\n")
	for _, s := range w.steps {
		var entries []string
		for _, e := range s.entries {
			entries = append(entries, expects(tinyTypes[e.kind], e.threshold, strings.Join(e.keys, ", ")))
		}
		if s.distinct != nil {
			entries = append(entries, "distinctFrom: ["+strings.Join(s.distinct, ", ")+"]")
		}
		b.WriteString(writeStep(s.name, ruleTexts(s.materials), ruleTexts(s.products), entries...))
	}
	var from []string
	for _, step := range w.from {
		from = append(from, `{subject: ["*"], from: `+step+"}")
	}
	b.WriteString("subjects: [" + strings.Join(from, ", ") + "]\n")
	return b.String()
}

var tinyTypes = map[string]string{"link": LinkV03, "scan": scanType, "provenance": provenance.V1}

func ruleTexts(list []tinyRule) []string {
	var out []string
	for _, r := range list {
		text := r.kind + " " + r.pattern
		if r.kind == "MATCH" {
			side := "MATERIALS"
			if r.products {
				side = "PRODUCTS"
			}
			text += " WITH " + side + " FROM " + r.from
		}
		out = append(out, text)
	}
	return out
}

// tinySigned remembers each statement, signed and opened: worlds share many.
var tinySigned sync.Map

func (s tinyStatement) open(t testing.TB) *attestation.Verified {
	id := fmt.Sprintf("%v", s)
	if v, ok := tinySigned.Load(id); ok {
		return v.(*attestation.Verified)
	}
	list := func(set map[string]string) []subject {
		out := []subject{}
		for _, name := range slices.Sorted(maps.Keys(set)) {
			d := subject{Name: name, Digest: map[string]string{"sha256": set[name]}}
			if name == tinyGit {
				d.Digest = map[string]string{"gitCommit": set[name]}
			}
			if set[name] == "" {
				d.Digest = nil
			}
			out = append(out, d)
		}
		return out
	}
	var payload []byte
	switch s.kind {
	case "link":
		payload = link(s.step, list(s.materials), list(s.products))
	case "scan":
		payload = scan(list(s.materials)...)
	case "provenance":
		payload = attestationtest.Statement(list(s.products), provenance.V1, map[string]any{"buildDefinition": map[string]any{"resolvedDependencies": list(s.materials)}})
	}
	v, refused := signer{key: s.key, bare: true}.says(payload).from(id).open(t)
	if refused != nil {
		t.Fatalf("%+v: %s", s, refused.Reason)
	}
	tinySigned.Store(id, v)
	return v
}

// dice draws worlds. What it draws is mostly right, or hardly any world would
// be allowed.
type dice struct{ *rand.Rand }

func (d dice) one(percent int) bool { return d.IntN(100) < percent }

func pickOf[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

func (d dice) subset(list []string, least int) []string {
	for {
		var out []string
		for _, s := range list {
			if d.one(60) {
				out = append(out, s)
			}
		}
		if len(out) >= least {
			return out
		}
	}
}

var tinyKeys = []string{"k0", "k1", "k2", "k3"}

func (d dice) world() tinyWorld {
	var w tinyWorld
	for i := range 1 + d.IntN(3) {
		w.steps = append(w.steps, d.step(i))
	}
	last := w.steps[len(w.steps)-1].name
	w.from = []string{last}
	if d.one(15) {
		w.from = append(w.from, pickOf(d, w.steps).name)
	}
	d.Shuffle(len(w.steps), func(i, j int) { w.steps[i], w.steps[j] = w.steps[j], w.steps[i] })
	for _, s := range w.steps {
		for _, e := range s.entries {
			said := d.statement(s, e, s.name == last)
			for i, key := range d.Perm(len(e.keys))[:min(len(e.keys), e.threshold+d.IntN(2))] {
				if said.key = e.keys[key]; i > 0 && d.one(15) {
					said = d.statement(s, e, s.name == last)
				}
				w.statements = append(w.statements, said)
			}
		}
	}
	for d.one(30) && len(w.statements) < 7 {
		s := pickOf(d, w.steps)
		w.statements = append(w.statements, d.statement(s, pickOf(d, s.entries), d.one(50)))
	}
	d.Shuffle(len(w.statements), func(i, j int) { w.statements[i], w.statements[j] = w.statements[j], w.statements[i] })
	return w
}

func (d dice) step(i int) tinyStep {
	s := tinyStep{name: fmt.Sprintf("s%d", i)}
	earlier := func() string { return fmt.Sprintf("s%d", d.IntN(i)) }
	patterns := []string{"*", "src", "b*", "app", tinyGit, "?rc"}
	if i > 0 {
		for range 1 + d.IntN(2) {
			pattern := pickOf(d, patterns[:5])
			if pattern == tinyGit {
				s.materials = append(s.materials, tinyRule{kind: "REQUIRE", pattern: tinyGit})
			}
			s.materials = append(s.materials, tinyRule{kind: "MATCH", pattern: pattern, from: earlier(), products: d.one(75)})
		}
	}
	if d.one(30) {
		s.materials = append(s.materials, tinyRule{kind: pickOf(d, []string{"ALLOW", "DELETE", "MODIFY"}), pattern: pickOf(d, patterns)})
	}
	if d.one(60) {
		s.materials = append(s.materials, tinyRule{kind: "ALLOW", pattern: "*"})
	}
	if d.one(15) {
		s.materials = slices.Insert(s.materials, 0, tinyRule{kind: pickOf(d, []string{"REQUIRE", "DISALLOW"}), pattern: pickOf(d, []string{"src", "bin"})})
	}
	if d.one(15) {
		s.products = append(s.products, tinyRule{kind: pickOf(d, []string{"DISALLOW", "REQUIRE", "MODIFY", "CREATE"}), pattern: pickOf(d, []string{"src", "bin", "app"})})
	}
	if i > 0 && d.one(15) {
		s.products = append(s.products, tinyRule{kind: "MATCH", pattern: pickOf(d, []string{"bin", "src", "*"}), from: earlier(), products: d.one(50)})
	}
	s.products = append(s.products, tinyRule{kind: pickOf(d, []string{"ALLOW", "ALLOW", "ALLOW", "CREATE"}), pattern: "*"})
	if d.one(10) {
		s.products = s.products[:len(s.products)-1]
	}
	s.materials = append(s.materials, tinyRule{kind: "DISALLOW", pattern: "*"})
	s.products = append(s.products, tinyRule{kind: "DISALLOW", pattern: "*"})
	for range 1 + d.IntN(100)/80 {
		e := tinyEntry{kind: pickOf(d, []string{"link", "link", "provenance", "scan"}), threshold: 1}
		for e.keys = d.subset(tinyKeys, 2); d.one(35) && !slices.Equal(e.keys, []string{"k0", "k3"}); {
			e.threshold = 2
			break
		}
		s.entries = append(s.entries, e)
	}
	if i > 0 && d.one(60) {
		s.distinct = []string{earlier()}
	}
	return s
}

// statement draws a statement that fits the step more often than not.
func (d dice) statement(s tinyStep, e tinyEntry, anchor bool) tinyStatement {
	out := tinyStatement{kind: e.kind, key: pickOf(d, e.keys), materials: map[string]string{}}
	if d.one(8) {
		out.key = pickOf(d, tinyKeys)
	}
	digest := func(name string) string {
		right := map[string]string{"src": strings.Repeat("2", 64), "bin": strings.Repeat("3", 64), "app": tinyDigest, tinyGit: commitA}[name]
		switch {
		case d.one(95):
			return right
		case name == tinyGit:
			return commitB
		}
		return strings.Repeat("4", 64)
	}
	if e.kind == "link" {
		if out.step = s.name; d.one(5) {
			out.step = fmt.Sprintf("s%d", d.IntN(3))
		}
	}
	for _, name := range []string{"src", "bin", "app", tinyGit} {
		if chance := map[string]int{"src": 50, "bin": 20, "app": 10, tinyGit: 40}[name]; d.one(chance) {
			if out.materials[name] = digest(name); e.kind != "scan" && d.one(5) {
				out.materials[name] = ""
			}
		}
	}
	if e.kind == "scan" {
		if anchor || len(out.materials) == 0 || d.one(50) {
			out.materials["app"] = digest("app")
		}
		return out
	}
	out.products = map[string]string{}
	for _, name := range []string{"src", "bin", "app", tinyGit} {
		if chance := map[string]int{"src": 50, "bin": 40, "app": 30, tinyGit: 50}[name]; d.one(chance) {
			out.products[name] = digest(name)
		}
	}
	if anchor || len(out.products) == 0 {
		out.products["app"] = digest("app")
	}
	return out
}

var tinyWorlds = flag.Int("worlds", 2400, "how many worlds TestCheckAgainstReference draws")

// TestCheckAgainstReference is the test of the engine: one verdict by two ways.
func TestCheckAgainstReference(t *testing.T) { //nolint:tparallel // the group waits for its parallel shards
	t.Parallel()
	const shards = 4
	worlds := *tinyWorlds
	if testing.Short() {
		worlds /= 6 // make race, where each takes ten times as long
	}
	var mu sync.Mutex
	count := map[string]int{}
	t.Run("worlds", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				d := dice{rand.New(rand.NewPCG(2026, uint64(shard)))}
				for range worlds / shards {
					outcome := d.compare(t)
					mu.Lock()
					count[outcome]++
					mu.Unlock()
					if t.Failed() {
						return
					}
				}
			})
		}
	})
	t.Logf("%v", count)
	if count["allowed"] < worlds/20 || count["denied"] < worlds/20 {
		t.Errorf("of %d worlds %v: the dice are loaded", worlds, count)
	}
}

// compare judges one world in both ways, and in other orders.
func (d dice) compare(t *testing.T) string {
	t.Helper()
	w := d.world()
	text := w.text(t)
	l, findings := Parse("tiny.yml", []byte(text), now())
	if len(findings) > 0 {
		return "refused by lint"
	}
	in := Input{Layout: l, Artifact: thing("app", "")}
	in.Artifact.Digest, in.Now = artifact.DigestSet{artifact.SHA256: tinyDigest}, now()
	for _, s := range w.statements {
		in.Verified = append(in.Verified, s.open(t))
	}
	v := Check(in)
	if want := w.allowedBySpec(); v.Allowed() != want || v.Outcome() == verdict.Undecided {
		t.Errorf("%s, by the reference allowed is %t\n%s\nstatements:\n%s\n%s", v.Outcome(), want, text, lines(w.statements), describeAll(v))
	}
	readable(t, v)

	// The order of statements, and one that comes twice, change nothing.
	shuffled := in
	shuffled.Verified = slices.Clone(in.Verified)
	d.Shuffle(len(shuffled.Verified), func(i, j int) {
		shuffled.Verified[i], shuffled.Verified[j] = shuffled.Verified[j], shuffled.Verified[i]
	})
	if again := Check(shuffled); again.Outcome() != v.Outcome() {
		t.Errorf("%s, and %s in another order\n%s\nstatements:\n%s", v.Outcome(), again.Outcome(), text, lines(w.statements))
	}
	if !v.Allowed() {
		return "denied"
	}

	// "Statements outside the assignment neither help nor harm."
	alone := in
	alone.Verified = nil
	for _, verified := range in.Verified {
		if slices.ContainsFunc(v.Evidence, func(e verdict.Evidence) bool { return e.Counted && e.Source == verified.Source() }) {
			alone.Verified = append(alone.Verified, verified)
		}
	}
	if again := Check(alone); !again.Allowed() {
		t.Errorf("what counted does not suffice alone\n%s\n%s", text, describeAll(again))
	}
	more := in
	s := pickOf(d, w.steps)
	more.Verified = append(slices.Clone(in.Verified), d.statement(s, pickOf(d, s.entries), d.one(50)).open(t))
	if again := Check(more); !again.Allowed() {
		t.Errorf("one more statement harms\n%s\n%s", text, describeAll(again))
	}
	return "allowed"
}

func lines[T any](list []T) string {
	var b strings.Builder
	for _, item := range list {
		fmt.Fprintf(&b, "  %+v\n", item)
	}
	return b.String()
}

// The reference itself is held to what can be seen with the naked eye.
func TestReference(t *testing.T) {
	t.Parallel()
	step := tinyStep{name: "s0", materials: []tinyRule{{kind: "DISALLOW", pattern: "*"}}, products: []tinyRule{{kind: "CREATE", pattern: "*"}, {kind: "DISALLOW", pattern: "*"}},
		entries: []tinyEntry{{kind: "link", keys: []string{"k0", "k3", "k1"}, threshold: 2}}}
	says := func(key, digest string) tinyStatement {
		return tinyStatement{kind: "link", step: "s0", key: key, materials: map[string]string{}, products: map[string]string{"app": digest}}
	}
	var got []bool
	for _, statements := range [][]tinyStatement{
		{says("k0", tinyDigest), says("k1", tinyDigest)},
		{says("k0", tinyDigest), says("k3", tinyDigest)},
		{says("k0", tinyDigest), says("k1", strings.Repeat("4", 64))},
		{says("k0", tinyDigest)},
		{says("k2", tinyDigest), says("k1", tinyDigest)},
	} {
		got = append(got, tinyWorld{steps: []tinyStep{step}, from: []string{"s0"}, statements: statements}.allowedBySpec())
	}
	if diff := cmp.Diff([]bool{true, false, false, false, false}, got); diff != "" {
		t.Errorf("the reference (-want +got):\n%s", diff)
	}
}
