package layout

import (
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// statementName is what people call a kind of statement.
func statementName(s attestation.Statement) string {
	if s.MessageSignature() {
		return "message signature"
	}
	return verdict.PredicateName(s.PredicateType)
}

func predicateOf(v *attestation.Verified) string {
	switch s := v.Statement(); {
	case s.MessageSignature():
		return "a message signature"
	case s.PredicateType == "":
		return "a statement without a predicate type"
	default:
		return "predicate type " + s.PredicateType
	}
}

// subjectsOf describes what a statement is about, at most a few subjects.
func subjectsOf(s attestation.Statement) string {
	const most = 2
	var parts []string
	for i, subject := range s.Subjects {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more", len(s.Subjects)-most))
			break
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", subject.Name, subject.Digest))
	}
	return strings.Join(parts, " and ")
}

func globsOf(globs []glob) string {
	words := make([]string, len(globs))
	for i, g := range globs {
		words[i] = g.text
	}
	return orWords(words)
}

// someOf lists at most a few words, or says none.
func someOf(words []string, none string) string {
	const most = 5
	switch {
	case len(words) == 0:
		return none
	case len(words) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
	}
	return strings.Join(words, ", ")
}

func orWords(words []string) string {
	switch len(words) {
	case 0:
		return "nobody"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
