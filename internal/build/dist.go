package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/quotas"
)

// previous is what dist holds of a function before a build.
type previous struct {
	// bootstrap and zip are sizes in bytes, 0 if there is none for the architecture that is to be built.
	bootstrap, zip int64
	// packed are the paths of the files in the zip.
	packed []string
	// sameBootstrap and sameZip say that dist has these already.
	sameBootstrap, sameZip bool
}

// readDist looks at the build before. Whatever cannot be read was not golam's and is nothing to compare with.
func readDist(root string, packages []packaged, goarch string) []previous {
	before := make([]previous, len(packages))
	dist, err := os.OpenRoot(filepath.Join(root, distFolder))
	if err != nil {
		return before
	}
	defer dist.Close()
	for i, p := range packages {
		b := &before[i]
		b.sameBootstrap, b.sameZip = p.inDist(dist.Name(), p.function.Name)
		if b.sameBootstrap && b.sameZip {
			b.bootstrap, b.zip, b.packed = p.DistBinary.Size, p.DistZip.Size, p.Packed
			continue
		}
		archive, size, err := openRegular(dist, p.function.Name+".zip")
		if err != nil {
			continue
		}
		b.packed = packed(archive, size)
		zipSize := size
		_ = archive.Close()
		binary, size, err := openRegular(dist, path.Join(p.function.Name, bootstrapName))
		if err != nil {
			continue
		}
		info, err := buildInfo(binary)
		_ = binary.Close()
		if err != nil || !slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "GOARCH" && s.Value == goarch }) {
			continue
		}
		b.bootstrap, b.zip = size, zipSize
	}
	return before
}

func openRegular(dist *os.Root, name string) (*os.File, int64, error) {
	info, err := dist.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() || info.Size() > quotas.MaxUnzipped {
		return nil, 0, errors.New("no file of a build")
	}
	file, err := dist.Open(name)
	return file, info.Size(), err
}

// writeDist writes all packages or none, whenever golam is killed. It then gives the files the modes that they have in a package, whatever
// the umask, since a folder of dist may be deployed too. At last it removes files that packages no longer have.
func writeDist(ctx context.Context, root string, packages []packaged, before []previous) error {
	var tree generator.Tree
	kept := map[string]file{}
	for i, p := range packages {
		for n, file := range p.files() {
			name := path.Join(p.function.Name, file.path)
			kept[name] = file
			if n == 0 && before[i].sameBootstrap {
				continue
			}
			tree = append(tree, generator.File{
				Path: name, Executable: file.executable, Size: file.size, Open: func() (io.ReadCloser, error) { return file.open() },
			})
		}
		if !before[i].sameZip {
			tree = append(tree, generator.File{
				Path: p.function.Name + ".zip", Size: p.ZipSize, Open: func() (io.ReadCloser, error) { return os.Open(p.zip) },
			})
		}
	}
	folder := filepath.Join(root, distFolder)
	if len(tree) > 0 {
		if _, err := generator.Write(ctx, folder, tree, generator.WriteOptions{Overwrite: true}); err != nil {
			return fmt.Errorf("write the packages: %w", err)
		}
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
