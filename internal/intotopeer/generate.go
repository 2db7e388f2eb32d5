package intotopeer

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// Generated is a case that was drawn at random.
type Generated struct {
	Case
	// Items are the layout's steps with what their links say, parameters filled.
	Items []Item
	// Oddity is the one odd thing about the case; empty for none.
	Oddity Oddity
}

// Generator draws cases. The same seed gives the same cases, but for signatures of
// RSA keys.
type Generator struct {
	random *rand.Rand
	folder string
	owner  *attestationtest.ClassicKey
	people []*attestationtest.ClassicKey
}

// NewGenerator writes its cases below a folder.
func NewGenerator(seed uint64, folder string) (*Generator, error) {
	g := &Generator{random: rand.New(rand.NewPCG(seed, 1)), folder: folder}
	for i, keyType := range []string{attestationtest.ClassicEd25519, attestationtest.ClassicECDSA, attestationtest.ClassicRSA, attestationtest.ClassicEd25519} {
		key, err := attestationtest.NewClassicKey("intotopeer", fmt.Sprint("person ", i), keyType)
		if err != nil {
			return nil, err
		}
		g.people = append(g.people, key)
	}
	var err error
	g.owner, err = attestationtest.NewClassicKey("intotopeer", "owner", attestationtest.ClassicEd25519)
	return g, err
}

// draft is a case that is being drawn.
type draft struct {
	odd    Oddity
	format attestationtest.ClassicFormat
	steps  []draftStep
	params map[string]string
}

type draftStep struct {
	Item

	people    []*attestationtest.ClassicKey
	threshold int
}

// Next draws a case and writes its files.
func (g *Generator) Next(name string) (Generated, error) {
	d := &draft{format: pick(g, attestationtest.ClassicMetablock, attestationtest.ClassicDSSE), params: map[string]string{}}
	if g.chance(60) {
		d.odd = pick(g, Oddities()...)
	}
	for _, step := range []string{"src", "build", "pkg"}[:1+g.random.IntN(3)] {
		d.steps = append(d.steps, g.step(d, step))
	}
	g.mend(d)
	g.oddity(d)
	return g.write(name, d)
}

// step draws one step whose materials are, for the most part, the products of the
// one before.
func (g *Generator) step(d *draft, name string) draftStep {
	s := draftStep{Item: Item{Name: name, Materials: Artifacts{}, Products: Artifacts{}}, threshold: 1}
	if g.chance(30) {
		s.threshold = 2
	}
	s.people = slices.Clone(g.people)
	g.random.Shuffle(len(s.people), func(i, j int) { s.people[i], s.people[j] = s.people[j], s.people[i] })
	s.people = s.people[:s.threshold+g.random.IntN(2)]
	if len(d.steps) > 0 {
		maps.Copy(s.Materials, d.steps[len(d.steps)-1].Products)
	}
	for range g.random.IntN(3) {
		s.Materials[pick(g, names()...)] = g.digest()
	}
	maps.Copy(s.Products, s.Materials)
	for range g.random.IntN(3) {
		s.Products[pick(g, names()...)] = g.digest()
	}
	for _, gone := range slices.Sorted(maps.Keys(s.Products)) {
		if g.chance(20) {
			delete(s.Products, gone)
		}
	}
	s.ExpectedMaterials, s.ExpectedProducts = g.rules(d, s.Materials), g.rules(d, s.Products)
	return s
}

func names() []string {
	return []string{"foo", "bar", "foo.py", "lib/foo", "lib/bar", "lib/sub/foo", "dist/foo", "library/foo", "lib.py", "/foo"}
}

func patterns() []string {
	return []string{"*", "foo", "lib/*", "*.py", "fo?", "[fb]oo", "[!f]*", "*/foo", "lib", "*foo*", "l[a-k]b/*", "dist/*"}
}

// digest is one of few, so that they are often equal.
func (g *Generator) digest() map[string]string {
	set := map[string]string{"sha256": strings.Repeat(pick(g, "a1", "b2", "c3"), 32)}
	if g.chance(5) {
		set["sha512"] = strings.Repeat("d4", 64)
	}
	return set
}

// rules draws a rule list; most say something about what is there.
func (g *Generator) rules(d *draft, artifacts Artifacts) (rules [][]string) {
	for range g.random.IntN(4) {
		pattern := pick(g, patterns()...)
		if there := slices.Sorted(maps.Keys(artifacts)); len(there) > 0 && g.chance(40) {
			pattern = pick(g, there...)
		}
		kind := pick(g, "ALLOW", "CREATE", "DELETE", "MODIFY", "DISALLOW", "REQUIRE", "MATCH", "MATCH", "MATCH", "allow")
		rule := []string{kind, pattern}
		if kind == "MATCH" && len(d.steps) > 0 {
			rule = g.match(d, pattern)
		}
		if len(rule) == 2 && kind == "MATCH" {
			rule[0] = "ALLOW"
		}
		rules = append(rules, rule)
	}
	if len(rules) == 0 || g.chance(50) {
		rules = append(rules, []string{pick(g, "ALLOW", "ALLOW", "DISALLOW"), "*"})
	}
	return rules
}

// mend leaves out most rules that fail, so that about as many cases pass as do not.
func (g *Generator) mend(d *draft) {
	if g.chance(30) {
		return
	}
	items := make([]Item, len(d.steps))
	for i, s := range d.steps {
		items[i] = s.Item
		items[i].ExpectedMaterials, items[i].ExpectedProducts = nil, nil
	}
	keep := func(rules [][]string, list *[][]string) {
		for _, rule := range rules {
			*list = append(*list, rule)
			if Rules(items) != nil {
				*list = (*list)[:len(*list)-1]
			}
		}
		if *list == nil {
			*list = [][]string{{"ALLOW", "*"}}
		}
	}
	for i := range d.steps {
		s := &d.steps[i]
		keep(s.ExpectedMaterials, &items[i].ExpectedMaterials)
		keep(s.ExpectedProducts, &items[i].ExpectedProducts)
		s.ExpectedMaterials, s.ExpectedProducts = items[i].ExpectedMaterials, items[i].ExpectedProducts
	}
}

func (g *Generator) match(d *draft, pattern string) []string {
	rule := []string{"MATCH", pattern}
	if g.chance(30) {
		rule = append(rule, "IN", pick(g, "lib", "dist", "lib/", "/"))
	}
	rule = append(rule, "WITH", pick(g, "PRODUCTS", "PRODUCTS", "MATERIALS"))
	if g.chance(20) {
		rule = append(rule, "IN", pick(g, "lib", "dist", "/"))
	}
	return append(rule, "FROM", pick(g, d.steps...).Name)
}

func (g *Generator) chance(percent int) bool { return g.random.IntN(100) < percent }

func pick[T any](g *Generator, from ...T) T { return from[g.random.IntN(len(from))] }
