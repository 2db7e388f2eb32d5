package actions

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// The folders of a container action, where the runner mounts them, and what they are
// called below the runner's own folder for temporary files.
//
// Source: https://github.com/actions/runner/blob/main/src/Runner.Worker/Handlers/ContainerActionHandler.cs
const (
	containerWorkspace = "/github/workspace"
	containerTemp      = "/github/runner_temp" // newer runners mount it
	jobContainer       = "/__w"                // of a job that runs in a container itself
)

// Paths are the folders that a step shares with the other steps of its job, and how
// each is called on both sides: here, and where the runner and its other steps are. The
// zero value shares nothing.
//
// The runner translates the variables of a container action, and so its inputs, but a
// value's beginning alone:
//
//	"if the value is a mapped path or starts with one and a separator, that part is
//	replaced" (ContainerInfo.cs, TranslateToContainerPath)
//
// A second line of an input, or a path behind NAME=, still says what the runner calls it.
type Paths struct {
	workspace string
	shared    []sharedFolder
}

type sharedFolder struct {
	here  string
	there []string // the first is what a later step is told
}

// FindPaths reads what the runner tells of its folders. Where the workspace is not at the
// place of container actions, a path is the same on both sides: on a machine without a
// container, and under act. There RUNNER_TEMP and HOME count only with the runner's own
// files in them: act has a RUNNER_TEMP of the same name in each container.
func FindPaths(getenv func(string) string) Paths {
	p := Paths{workspace: getenv("GITHUB_WORKSPACE")}
	if p.workspace != containerWorkspace {
		p.shareSame(getenv)
		return p
	}
	work, repository := getenv("RUNNER_WORKSPACE"), path.Base(getenv("GITHUB_REPOSITORY"))
	temp, known := path.Join(path.Dir(work), "_temp"), path.IsAbs(work)
	if given := getenv("RUNNER_TEMP"); path.IsAbs(given) && given != containerTemp {
		temp, known = given, true // it is not mounted, and so not translated
	}
	var workspaces []string
	if path.IsAbs(work) && repository != "." && repository != "/" {
		workspaces = append(workspaces, path.Join(work, repository), path.Join(jobContainer, path.Base(work), repository))
	}
	p.share(containerWorkspace, workspaces...)
	if getenv("RUNNER_TEMP") == containerTemp {
		p.shareTemp(containerTemp, known, temp, "")
	}
	for here, name := range map[string]string{"/github/home": "_github_home", "/github/workflow": "_github_workflow", "/github/file_commands": "_runner_file_commands"} {
		p.shareTemp(here, known, temp, name)
	}
	return p
}

// shareSame adds the folders that are the same on both sides.
func (p *Paths) shareSame(getenv func(string) string) {
	folders := []string{p.workspace, folderOf(getenv("GITHUB_EVENT_PATH")), folderOf(getenv("GITHUB_OUTPUT"))}
	for _, around := range []string{getenv("RUNNER_TEMP"), getenv("HOME")} {
		if slices.ContainsFunc(folders[1:3], func(own string) bool { return around != "" && isBelow(around, own) }) {
			folders = append(folders, around)
		}
	}
	for _, folder := range folders {
		p.share(folder, folder)
		if resolved, err := filepath.EvalSymlinks(folder); err == nil && resolved != folder {
			p.share(resolved, resolved)
		}
	}
}

func folderOf(file string) string {
	if file == "" {
		return ""
	}
	return filepath.Dir(file)
}

// share adds a folder; what is no absolute path, or all of the machine, is none.
func (p *Paths) share(here string, there ...string) {
	if filepath.IsAbs(here) && filepath.Clean(here) != string(filepath.Separator) {
		p.shared = append(p.shared, sharedFolder{here: filepath.Clean(here), there: there})
	}
}

// shareTemp adds a folder below the runner's temporary one, if that is known.
func (p *Paths) shareTemp(here string, known bool, temp, name string) {
	var there []string
	if known {
		there = append(there, path.Join(temp, name))
	}
	p.share(here, append(there, path.Join(jobContainer, "_temp", name))...)
}

// Here is what a path of the runner is called in this process; a path of neither side
// stays as it is.
func (p Paths) Here(given string) string {
	best, found := given, ""
	for _, folder := range p.shared {
		for _, there := range folder.there {
			if rest, ok := below(there, given); ok && len(there) > len(found) {
				best, found = folder.here+rest, there
			}
		}
	}
	return best
}

// There is what an absolute path of this process is called where later steps run. It is
// false where they cannot see it, or where nobody says what they call it.
func (p Paths) There(given string) (string, bool) {
	folder, rest, ok := p.sharing(given)
	if !ok || len(folder.there) == 0 {
		return "", false
	}
	return folder.there[0] + rest, true
}

// Told is what a later step is told of a path: what it is called there, or where nobody
// says that, the path from the workspace, where steps begin.
func (p Paths) Told(given string) string {
	absolute, err := filepath.Abs(given)
	if err != nil {
		return given
	}
	if there, ok := p.There(absolute); ok {
		return there
	}
	if relative, err := filepath.Rel(p.workspace, absolute); err == nil && filepath.IsLocal(relative) {
		return relative
	}
	return absolute
}

// sharing is the innermost shared folder that a path is in.
func (p Paths) sharing(given string) (found sharedFolder, rest string, ok bool) {
	for _, folder := range p.shared {
		if r, in := below(folder.here, given); in && len(folder.here) > len(found.here) {
			found, rest, ok = folder, r, true
		}
	}
	return found, rest, ok
}

// below gives what of a path stands behind a folder, with the separator in front.
func below(folder, given string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(given, folder)
	return rest, ok && (rest == "" || rest[0] == '/' || rest[0] == filepath.Separator)
}

func isBelow(folder, given string) bool {
	_, ok := below(filepath.Clean(folder), given)
	return ok
}

// Check refuses a path of a step that leads out of what it shares: nobody would find
// what is written there, and what others put there is not seen. Relative ones begin in
// folder, below the workspace. It compares names; a link is followed by nobody here.
func (p Paths) Check(step Step) error {
	start := p.workspace
	if folder := step.Folder; filepath.IsAbs(folder) {
		start = folder
	} else if folder != "" {
		start = filepath.Join(start, folder)
	}
	for _, named := range step.Paths {
		full := named.Path
		if !filepath.IsAbs(full) {
			full = filepath.Join(start, full)
		}
		if _, _, ok := p.sharing(filepath.Clean(full)); !ok {
			return fmt.Errorf("reading input %s: %.200q is not in the workspace, and this step sees no other folder of the runner; next: put the file into the workspace, and name it relative to it or as ${{ github.workspace }}/…", named.Input, named.Path)
		}
	}
	return nil
}
