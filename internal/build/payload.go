package build

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/golam-cli/golam/generator"
)

// Payload formats of HTTP requests.
const (
	// PayloadV1 is that of REST APIs, and of HTTP APIs on demand.
	PayloadV1 = "1.0"
	// PayloadV2 is that of HTTP APIs and function URLs.
	PayloadV2 = "2.0"
	// PayloadALB is that of load balancers.
	PayloadALB = "alb"
)

// Payloads are all payload formats.
func Payloads() []string { return []string{PayloadV1, PayloadV2, PayloadALB} }

// Payload is the format in which a function takes HTTP requests.
type Payload struct {
	// Format is one of [Payloads], [PayloadV2] if nothing says otherwise.
	Format string `json:"format"`
	// Reason says why, or is "".
	Reason string `json:"reason,omitempty"`
	// Configured tells that golam.yaml chooses it.
	Configured bool `json:"configured,omitempty"`
}

const (
	eventsPackage = "github.com/aws/aws-lambda-go/events"
	urlPackage    = "github.com/aws/aws-lambda-go/lambdaurl"
)

// payloadOf are the types of aws-lambda-go for HTTP requests.
var payloadOf = map[string]string{
	"APIGatewayProxyRequest": PayloadV1, "APIGatewayV2HTTPRequest": PayloadV2, "LambdaFunctionURLRequest": PayloadV2,
	"ALBTargetGroupRequest": PayloadALB,
}

// payloads finds out which payload formats functions take, from the types of their handlers. It reads the source and runs nothing.
type payloads struct {
	list *listing
	set  *token.FileSet
	// relevant are the packages that lead to aws-lambda-go. All others are of no interest, and are not read.
	relevant map[string]bool
	parsed   map[string][]*ast.File
	checked  map[string]*types.Package
}

func newPayloads(list *listing) *payloads {
	return &payloads{
		list: list, set: token.NewFileSet(), relevant: map[string]bool{}, parsed: map[string][]*ast.File{}, checked: map[string]*types.Package{},
	}
}

// of finds the format of a function.
func (p *payloads) of(f Function) Payload {
	if format := p.list.project.entry(f.Name).payload; format != "" {
		return Payload{Format: format, Reason: generator.ProjectFile + " says so", Configured: true}
	}
	var local []goPackage
	for _, reached := range p.list.reach(f.Package) {
		if p.list.local(reached) {
			local = append(local, reached)
		}
	}
	taken := map[string]bool{} // names of types, or urlPackage
	for _, pkg := range local {
		if p.leads(pkg.ImportPath) {
			p.handlers(pkg, taken, false)
		}
	}
	if len(taken) == 0 && p.leads(f.Package) {
		// Another package may call Start with what the main package gives it.
		p.handlers(p.list.packages[f.Package], taken, true)
	}
	if len(taken) == 0 {
		// A handler may be hidden behind an interface. If the function knows one type only, that is it.
		for _, pkg := range local {
			p.mentioned(pkg, taken)
		}
	}
	formats := map[string]string{} // a type of each
	for name := range taken {
		if name == urlPackage {
			formats[PayloadV2] = "it calls lambdaurl.Start"
		} else {
			formats[payloadOf[name]] = "its handler takes events." + name
		}
	}
	if len(formats) != 1 {
		return Payload{Format: PayloadV2}
	}
	for format, reason := range formats {
		return Payload{Format: format, Reason: reason}
	}
	return Payload{}
}

// leads reports whether a package imports the packages of aws-lambda-go that matter, be it through others.
func (p *payloads) leads(importPath string) bool {
	if known, ok := p.relevant[importPath]; ok {
		return known
	}
	if importPath == eventsPackage || importPath == lambdaPackage || importPath == urlPackage {
		p.relevant[importPath] = true
		return true
	}
	p.relevant[importPath] = false // packages do not import each other
	for _, imported := range p.list.packages[importPath].Imports {
		if p.leads(imported) {
			p.relevant[importPath] = true
		}
	}
	return p.relevant[importPath]
}

// files parses a package, as far as that can be done.
func (p *payloads) files(pkg goPackage) []*ast.File {
	if files, done := p.parsed[pkg.ImportPath]; done {
		return files
	}
	var files []*ast.File
	for _, name := range pkg.GoFiles {
		if file, _ := parser.ParseFile(p.set, filepath.Join(pkg.Dir, name), nil, parser.SkipObjectResolution); file != nil {
			files = append(files, file)
		}
	}
	p.parsed[pkg.ImportPath] = files
	return files
}

// Import is for the type checker. Packages that do not matter are empty, so what comes from them has no type.
func (p *payloads) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if checked := p.checked[importPath]; checked != nil {
		return checked, nil
	}
	pkg, known := p.list.packages[importPath]
	if !known || !p.leads(importPath) || importPath == lambdaPackage || importPath == urlPackage {
		empty := types.NewPackage(importPath, path.Base(importPath))
		empty.MarkComplete()
		p.checked[importPath] = empty
		return empty, nil
	}
	p.checked[importPath] = p.check(pkg, nil)
	return p.checked[importPath], nil
}

// check finds the types of a package, those within functions only if there is somewhere to put them.
func (p *payloads) check(pkg goPackage, info *types.Info) *types.Package {
	config := types.Config{Importer: p, Error: func(error) {}, IgnoreFuncBodies: info == nil, FakeImportC: true}
	checked, _ := config.Check(pkg.ImportPath, p.set, p.files(pkg), info)
	return checked
}

// handlers adds the types that the handlers take which a package gives to aws-lambda-go, or to anybody.
func (p *payloads) handlers(pkg goPackage, taken map[string]bool, anybody bool) {
	var calls []*ast.CallExpr
	for _, file := range p.files(pkg) {
		lambda, url := importName(file, lambdaPackage, "lambda"), importName(file, urlPackage, "lambdaurl")
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			if anybody {
				calls = append(calls, call)
				return true
			}
			function := call.Fun
			switch indexed := function.(type) { // StartHandlerFunc[In, Out]
			case *ast.IndexExpr:
				function = indexed.X
			case *ast.IndexListExpr:
				function = indexed.X
			}
			selector, ok := function.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, ok := selector.X.(*ast.Ident)
			if !ok || !strings.HasPrefix(selector.Sel.Name, "Start") && !strings.HasPrefix(selector.Sel.Name, "NewHandler") {
				return true
			}
			switch from.Name {
			case url:
				taken[urlPackage] = true
			case lambda:
				calls = append(calls, call)
			}
			return true
		})
	}
	if len(calls) == 0 {
		return
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	p.check(pkg, info)
	for _, call := range calls {
		for _, argument := range call.Args {
			// Middleware gives back what has no type that tells anything, so look at what it was given, too.
			ast.Inspect(argument, func(node ast.Node) bool {
				expression, ok := node.(ast.Expr)
				if !ok {
					return true
				}
				name := eventOf(info.TypeOf(expression))
				if name != "" {
					taken[name] = true
				}
				_, literal := node.(*ast.FuncLit)
				return name == "" && !literal
			})
		}
	}
}

// importName is what a file calls a package, "" if it does not import it.
func importName(file *ast.File, importPath, usual string) string {
	for _, spec := range file.Imports {
		if imported, err := strconv.Unquote(spec.Path.Value); err == nil && imported == importPath {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return usual
		}
	}
	return ""
}

// eventOf is the type of HTTP requests that a function takes, "" if t is no such function.
func eventOf(t types.Type) string {
	if t == nil {
		return ""
	}
	signature, ok := t.Underlying().(*types.Signature)
	if !ok {
		return ""
	}
	for i := range signature.Params().Len() {
		parameter := types.Unalias(signature.Params().At(i).Type())
		if pointer, ok := parameter.(*types.Pointer); ok {
			parameter = types.Unalias(pointer.Elem())
		}
		named, ok := parameter.(*types.Named)
		if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != eventsPackage {
			continue
		}
		if name := named.Obj().Name(); payloadOf[name] != "" {
			return name
		}
	}
	return ""
}

// mentioned adds the types that the source of a package names.
func (p *payloads) mentioned(pkg goPackage, taken map[string]bool) {
	if !slices.Contains(pkg.Imports, eventsPackage) {
		return
	}
	for _, file := range p.files(pkg) {
		events := importName(file, eventsPackage, "events")
		ast.Inspect(file, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := selector.X.(*ast.Ident); ok && from.Name == events && payloadOf[selector.Sel.Name] != "" {
				taken[selector.Sel.Name] = true
			}
			return true
		})
	}
}
