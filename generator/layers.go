package generator

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// layer is a folder of templates. It belongs to projects that have all of its features, and its files that are rendered once a function
// belong to functions that have them.
type layer struct {
	// folder is where it is in the file system of layers, such as "platform/telemetry+slim".
	folder   string
	features []string
	// prefix is the folder in the project that its files go to.
	prefix string
}

// The groups that layers come in. What joins names with + in a group's folder is one layer.
const (
	projectLayer   = "project"  // files of every project: project, project+github
	iacGroup       = "iac"      // of an IaC flavor: iac/sam, iac/cdk+otlp
	kindsGroup     = "kinds"    // of a kind, and of the functions of that kind: kinds/plain, kinds/plain+slim
	platformGroup  = "platform" // of one platform package: platform/telemetry, platform/telemetry+slim
	platformFolder = "internal/platform"

	// partialsFolder holds texts that templates include: at the top those that belong to nobody else, in a layer its own.
	partialsFolder = "partials"
)

// listLayers returns every layer, in a fixed order.
func listLayers(layers fs.FS) ([]layer, error) {
	top, err := fs.ReadDir(layers, ".")
	if err != nil {
		return nil, err
	}
	var found []layer
	for _, entry := range top {
		names := strings.Split(entry.Name(), "+")
		if names[0] == projectLayer {
			found = append(found, layer{folder: entry.Name(), features: names[1:]})
			continue
		}
		if !slices.Contains([]string{iacGroup, kindsGroup, platformGroup}, entry.Name()) {
			continue
		}
		members, err := fs.ReadDir(layers, entry.Name())
		if err != nil {
			return nil, err
		}
		for _, member := range members {
			names := strings.Split(member.Name(), "+")
			added := layer{folder: path.Join(entry.Name(), member.Name()), features: names}
			if entry.Name() == platformGroup {
				added.prefix = path.Join(platformFolder, names[0])
			}
			found = append(found, added)
		}
	}
	return found, nil
}

// walk calls visit with each template of the layer and the path in the project that it is rendered to.
func (l layer) walk(layers fs.FS, visit func(name, target string) error) error {
	return fs.WalkDir(layers, l.folder, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && name == path.Join(l.folder, partialsFolder) {
			return fs.SkipDir
		}
		if err != nil || entry.IsDir() {
			return err
		}
		target, found := strings.CutSuffix(strings.TrimPrefix(name, l.folder+"/"), templateSuffix)
		if !found {
			return fmt.Errorf("template %s: the name does not end in %s", name, templateSuffix)
		}
		elements := strings.Split(target, "/")
		for i, element := range elements {
			if rest, dotted := strings.CutPrefix(element, dotPrefix); dotted {
				elements[i] = "." + rest
			}
		}
		return visit(name, path.Join(l.prefix, path.Join(elements...)))
	})
}

// What a path of a template has in place of a function's name, and of its Go package.
const (
	functionMark = "{function}"
	packageMark  = "{package}"
)

// ofFunction reports whether a template is rendered once a function.
func ofFunction(target string) bool {
	return strings.Contains(target, functionMark) || strings.Contains(target, packageMark)
}
