package githubtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Description is GitHub's OpenAPI.
type Description struct{ document *openapi3.T }

// Load reads the description, which takes half a second: a package's tests share it. It
// has no operations for the assets of a release; their paths are added, with its own
// schemas of what they answer. Where it is not there, the error is fs.ErrNotExist.
func Load() (*Description, error) { return LoadFrom(filepath.FromSlash(Corpus)) }

// LoadFrom reads it in the corpus, seen from a room of another module.
func LoadFrom(corpus string) (*Description, error) {
	data, err := os.ReadFile(filepath.Join(corpus, "openapi-subset.full.json"))
	if err != nil {
		return nil, err
	}
	document, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("reading GitHub's OpenAPI description: %w", err)
	}
	d := &Description{document: document}
	for _, added := range []struct {
		path, method, schema string
		list                 bool
		status               int
	}{
		{path: releasesPath, method: http.MethodGet, schema: "release", list: true, status: http.StatusOK},
		{path: uploadPath, method: http.MethodPost, schema: "release-asset", status: http.StatusCreated},
		{path: assetPath, method: http.MethodGet, schema: "release-asset", status: http.StatusOK},
	} {
		answers := document.Components.Schemas[added.schema]
		if added.list {
			answers = openapi3.NewSchemaRef("", &openapi3.Schema{Type: &openapi3.Types{openapi3.TypeArray}, Items: answers})
		}
		operation := openapi3.NewOperation()
		operation.AddResponse(added.status, openapi3.NewResponse().WithDescription("").WithContent(openapi3.NewContentWithSchemaRef(answers, []string{"application/json"})))
		item := &openapi3.PathItem{}
		item.SetOperation(added.method, operation)
		document.Paths.Set(added.path, item)
	}
	return d, nil
}

// The paths, as the description has them.
const (
	repositoryPath   = "/repos/{owner}/{repo}"
	attestationsPath = repositoryPath + "/attestations"
	subjectPath      = attestationsPath + "/{subject_digest}"
	releasesPath     = repositoryPath + "/releases"
	tagPath          = releasesPath + "/tags/{tag}"
	uploadPath       = releasesPath + "/{release_id}/assets"
	assetPath        = releasesPath + "/assets/{asset_id}"
)

// exchange is a request and the operation that it is for.
type exchange struct {
	request    *http.Request
	path       string
	parameters map[string]string
}

// holds tells what of an exchange is not as GitHub describes it.
func (d *Description) holds(x exchange, body []byte, answer *httptest.ResponseRecorder) error {
	item := d.document.Paths.Value(x.path)
	if item == nil || item.GetOperation(x.request.Method) == nil {
		return fmt.Errorf("GitHub describes no %s %s", x.request.Method, x.path)
	}
	request := x.request.Clone(context.Background())
	request.Body = io.NopCloser(bytes.NewReader(body))
	in := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: x.parameters,
		Route: &routers.Route{Spec: d.document, Path: x.path, PathItem: item, Method: x.request.Method, Operation: item.GetOperation(x.request.Method)},
	}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
		return fmt.Errorf("the request is not as GitHub describes it: %w", err)
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: answer.Code, Header: answer.Header()}
	out.SetBodyBytes(answer.Body.Bytes())
	if answer.Code == http.StatusFound || answer.Code/100 == 5 {
		return nil // a redirect, and whatever a proxy says
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		return fmt.Errorf("the answer is not as GitHub describes it: %w", err)
	}
	if in.Route.Operation.Responses.Status(answer.Code) == nil {
		return d.refuses(answer)
	}
	return nil
}

// refuses holds a refusal that the operation does not describe to the description's
// errors.
func (d *Description) refuses(answer *httptest.ResponseRecorder) error {
	schema := "basic-error"
	if answer.Code == http.StatusUnprocessableEntity {
		schema = "validation-error"
	}
	if answer.Code/100 == 2 {
		return fmt.Errorf("GitHub describes no answer with %d", answer.Code)
	}
	operation := openapi3.NewOperation()
	operation.AddResponse(answer.Code, openapi3.NewResponse().WithDescription("").WithContent(openapi3.NewContentWithSchemaRef(d.document.Components.Schemas[schema], []string{"application/json"})))
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", http.NoBody),
			Route:   &routers.Route{Spec: d.document, Operation: operation},
		},
		Status: answer.Code, Header: answer.Header(),
	}
	out.SetBodyBytes(answer.Body.Bytes())
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		return fmt.Errorf("the refusal is not as GitHub describes one: %w", err)
	}
	return nil
}
