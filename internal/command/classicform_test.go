package command

import "testing"

// Content that is readable but wrong is denied: where the caller expects a layout
// of in-toto 1.0, what broke off is one, and only an attestation layout is none.
func TestClassicWhenAsked(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		what, data     string
		asked, unasked bool
	}{
		{"a Metablock", `{"signed": {}, "signatures": []}`, true, true},
		{"one that broke off", `{"signed": {"_type": "layout", "ste`, true, false},
		{"one without signatures", `{"signed": {"_type": "layout"}}`, true, false},
		{"one that was never signed", `{"_type": "layout", "keys": {}, "steps": [], "inspect": []}`, true, false},
		{"nothing", "", true, false},
		{"a web page", "<html>", true, false},
		{"an attestation layout", "# ours\n_type: layout\nfunctionaries: {}\n", false, false},
		{"one in JSON", `{"_type": "layout", "functionaries": {}}`, false, false},
		{"one in a bundle", `{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {}}`, false, false},
	} {
		f := layoutFile{name: "root.layout", data: []byte(row.data)}
		if got := f.classic(true); got != row.asked {
			t.Errorf("%s, with --link-dir: classic %v, expected %v", row.what, got, row.asked)
		}
		if got := f.classic(false); got != row.unasked {
			t.Errorf("%s, without: classic %v, expected %v", row.what, got, row.unasked)
		}
	}
}
