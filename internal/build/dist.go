package build

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/golam-cli/golam/generator"
)

// previous is what dist holds of a function before a build.
type previous struct {
	// bootstrap and zip are sizes in bytes, 0 if there is none for the architecture that is to be built.
	bootstrap, zip int64
	// packed are the paths of the files in the zip.
	packed []string
}

// readDist looks at the build before. Whatever cannot be read was not golam's and is nothing to compare with.
func readDist(root string, functions []Function, goarch string) []previous {
	before := make([]previous, len(functions))
	dist, err := os.OpenRoot(filepath.Join(root, distFolder))
	if err != nil {
		return before
	}
	defer dist.Close()
	for i, function := range functions {
		archive, err := readRegular(dist, function.Name+".zip")
		if err != nil {
			continue
		}
		before[i].packed = packed(archive)
		binary, err := readRegular(dist, path.Join(function.Name, bootstrapName))
		if err != nil {
			continue
		}
		info, err := buildinfo.Read(bytes.NewReader(binary))
		if err != nil || !slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "GOARCH" && s.Value == goarch }) {
			continue
		}
		before[i].bootstrap, before[i].zip = int64(len(binary)), int64(len(archive))
	}
	return before
}

func readRegular(dist *os.Root, name string) ([]byte, error) {
	info, err := dist.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > UnzippedLimit {
		return nil, errors.New("no file of a build")
	}
	return dist.ReadFile(name)
}

// writeDist writes all packages or none, whenever golam is killed. It then gives the files the modes that they have in a package, whatever
// the umask, since a folder of dist may be deployed too. At last it removes files that packages no longer have.
func writeDist(ctx context.Context, root string, packages []packaged, before []previous) error {
	var tree generator.Tree
	kept := map[string]file{}
	for _, p := range packages {
		for _, file := range p.files {
			name := path.Join(p.function.Name, file.path)
			kept[name] = file
			tree = append(tree, generator.File{Path: name, Content: file.content, Executable: file.executable})
		}
		tree = append(tree, generator.File{Path: p.function.Name + ".zip", Content: p.zip})
	}
	folder := filepath.Join(root, distFolder)
	if _, err := generator.Write(ctx, folder, tree, generator.WriteOptions{Overwrite: true}); err != nil {
		return fmt.Errorf("write the packages: %w", err)
	}
	dist, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("set the modes of the packages' files: %w", err)
	}
	defer dist.Close()
	for name, file := range kept {
		if err := dist.Chmod(name, file.mode()); err != nil {
			return fmt.Errorf("set the modes of the packages' files: %w", err)
		}
	}
	for i, p := range packages {
		for _, file := range before[i].packed {
			name := path.Join(p.function.Name, path.Clean("/"+file))
			if _, ok := kept[name]; ok {
				continue
			}
			if info, err := dist.Lstat(name); err != nil || !info.Mode().IsRegular() {
				continue
			}
			if err := dist.Remove(name); err != nil {
				return fmt.Errorf("remove what is out of date: %w", err)
			}
			for dir := path.Dir(name); dir != p.function.Name; dir = path.Dir(dir) {
				_ = dist.Remove(dir) // if it is empty
			}
		}
	}
	return nil
}
