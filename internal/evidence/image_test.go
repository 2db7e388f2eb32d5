package evidence

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/registry"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// TestRegistries: what a registry gives are candidates and nothing more, what it cannot
// give is listed, and nobody is asked about what is no image.
func TestRegistries(t *testing.T) {
	t.Parallel()
	const name = "registry.example/acme/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	image, err := registry.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":""}},"dsseEnvelope":{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AAAA"}]}}`
	asked := 0
	answer := func(list []registry.Referrer, err error) Registries {
		return Registries{Images: map[string]registry.Reference{name: image}, Referrers: func(_ context.Context, asks registry.Reference) ([]registry.Referrer, error) {
			if asked++; asks != image {
				t.Errorf("%s was asked for", asks)
			}
			return list, err
		}}
	}
	found := From(t.Context(), answer([]registry.Referrer{
		{Reference: image, Bundle: []byte(good)}, {Reference: image, Bundle: []byte("<html>")}, {Reference: image, Err: errors.New("it is gone; next: look elsewhere")},
	}, nil), Sought{Image: name})
	if len(found.Candidates) != 1 || len(found.Refused) != 2 || found.Candidates[0].Source() != name {
		t.Errorf("%+v", found)
	}
	if last := found.Looked[len(found.Looked)-1]; last.Path != "referrers of "+name || last.Bundles != 2 || last.Absent {
		t.Errorf("%+v", found.Looked)
	}
	for _, r := range found.Refused {
		if r.Reason.ID == verdict.SourceUnreadable && (r.Reason.Found != "it is gone" || r.Reason.Next != "look elsewhere") {
			t.Errorf("%+v", r.Reason)
		}
	}
	if found := From(t.Context(), answer(nil, nil), Sought{Image: name}); len(found.Looked) != 1 || !found.Looked[0].Absent {
		t.Errorf("nothing: %+v", found)
	}
	if found := From(t.Context(), answer(nil, errors.New("it is not reached")), Sought{Image: name}); len(found.Refused) != 1 || found.Refused[0].Reason.ID != verdict.SourceUnreadable || !strings.Contains(found.Refused[0].Source, "registry") {
		t.Errorf("not reached: %+v", found)
	}
	before := asked
	if found := From(t.Context(), answer(nil, errors.New("it was asked")), Sought{Name: "app"}); asked != before || len(found.Looked)+len(found.Refused) > 0 {
		t.Errorf("no image: %+v", found)
	}
}
