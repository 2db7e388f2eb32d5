package githubtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/golang/snappy"
)

// Store puts a bundle into a repository as the API does, and gives its id.
func (g *GitHub) Store(r *Repository, bundle []byte) int64 {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	id, err := g.store(r, bundle)
	if err != nil {
		g.t.Fatal(err)
	}
	return id
}

// StoreAs puts anything into a repository, under a digest.
func (g *GitHub) StoreAs(r *Repository, digest string, bundle []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r.Attestations[digest] = append(r.Attestations[digest], Attestation{ID: g.nextID(), Bundle: bundle})
}

// store files a bundle under each of its subjects.
func (g *GitHub) store(r *Repository, bundle []byte) (int64, error) {
	var read struct {
		Envelope struct {
			Payload string `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	var statement struct {
		PredicateType string `json:"predicateType"`
		Subject       []struct {
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
	}
	if err := json.Unmarshal(bundle, &read); err != nil {
		return 0, err
	}
	payload, err := base64.StdEncoding.DecodeString(read.Envelope.Payload)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(payload, &statement); err != nil {
		return 0, fmt.Errorf("reading the statement: %w", err)
	}
	// GitHub keeps a bundle, not the bytes that it came in.
	var document map[string]any
	if err := json.Unmarshal(bundle, &document); err != nil {
		return 0, err
	}
	kept, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return 0, err
	}
	a := Attestation{ID: g.nextID(), Bundle: kept, PredicateType: statement.PredicateType}
	for _, s := range statement.Subject {
		for algorithm, value := range s.Digest {
			r.Attestations[algorithm+":"+value] = append(r.Attestations[algorithm+":"+value], a)
		}
	}
	return a.ID, nil
}

func (g *GitHub) repository(v *visit) {
	document := g.spec.example("full-repository-default-response")
	full, ok := document.(map[string]any)
	if !ok {
		v.refuse(http.StatusInternalServerError, "no example")
		return
	}
	for _, other := range []string{"source", "parent", "template_repository"} {
		delete(full, other) // the example has these without what the description demands of them
	}
	full["full_name"], full["private"], full["language"] = v.name, v.at.Private, nil
	v.answer(http.StatusOK, full)
}

func (g *GitHub) createAttestation(v *visit) {
	var request struct {
		Bundle json.RawMessage `json:"bundle"`
	}
	err := json.Unmarshal(v.body, &request)
	id := int64(0)
	if err == nil {
		id, err = g.store(v.at, request.Bundle)
	}
	switch {
	case v.at.Private:
		v.refuse(http.StatusForbidden, "Feature not available for user-owned private repositories. To enable this feature, please make this repository public.")
	case err != nil:
		v.refuse(http.StatusUnprocessableEntity, "Invalid Argument - "+err.Error())
	default:
		v.answer(http.StatusCreated, map[string]any{"id": id})
	}
}

func (g *GitHub) listAttestations(v *visit) {
	digest := v.parameters["subject_digest"]
	wanted := v.request.URL.Query().Get("predicate_type")
	var all []Attestation
	for _, a := range v.at.Attestations[digest] {
		if wanted == "" || wanted == a.PredicateType || wanted == "provenance" && strings.HasPrefix(a.PredicateType, "https://slsa.dev/provenance/") {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		v.refuse(http.StatusNotFound, "Not Found")
		return
	}
	from, to := g.page(v, "after", len(all))
	list := []any{}
	for _, a := range all[from:to] {
		one := map[string]any{"repository_id": 1296269, "initiator": "user"}
		if g.Detached {
			one["bundle_url"] = g.keep(fmt.Sprintf("/attestations/%d.json.sn", a.ID), file{contentType: "application/x-snappy", data: snappy.Encode(nil, a.Bundle)})
		} else {
			one["bundle"] = json.RawMessage(a.Bundle)
			one["bundle_url"] = ""
		}
		list = append(list, one)
	}
	v.answer(http.StatusOK, map[string]any{"attestations": list})
}
