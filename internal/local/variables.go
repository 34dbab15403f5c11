package local

import (
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
)

// variables are a bootstrap's environment variables: those of Lambda Developer Guide, "Defined runtime environment variables", for an
// OS-only runtime (which has no AWS_EXECUTION_ENV), then the function's own. For credentials, see [Environment].
func (fn *function) variables(address, logStream string) []string {
	const runtimeDir = "/var/runtime"
	l := fn.lambda
	vars := map[string]string{
		"_HANDLER":                        fn.Handler,
		"AWS_DEFAULT_REGION":              l.cfg.Region,
		"AWS_EC2_METADATA_DISABLED":       "true", // there is none on Lambda either, and here the AWS SDK would wait for it
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(fn.MemorySize),
		"AWS_LAMBDA_FUNCTION_NAME":        fn.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     version,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_FORMAT":           "Text",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + fn.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      logStream,
		"AWS_REGION":                      l.cfg.Region,
		"LAMBDA_RUNTIME_DIR":              runtimeDir,
		"LAMBDA_TASK_ROOT":                fn.Dir,
		"LANG":                            "en_US.UTF-8",
		"LD_LIBRARY_PATH": "/lib64:/usr/lib64:" + runtimeDir + ":" + runtimeDir + "/lib:" +
			fn.Dir + ":" + fn.Dir + "/lib:/opt/lib",
		"PATH": lambdaPath,
		"TZ":   ":UTC",
	}
	if runtime.GOOS == "windows" {
		// A Windows program opens no socket without it.
		vars["SYSTEMROOT"] = os.Getenv("SYSTEMROOT")
	}
	maps.Copy(vars, fn.Env)
	vars[runtimeAPIVariable] = address

	list := make([]string, 0, len(vars))
	for _, key := range slices.Sorted(maps.Keys(vars)) {
		list = append(list, key+"="+vars[key])
	}
	return list
}

// lambdaPath is the PATH of functions on Lambda.
const lambdaPath = "/usr/local/bin:/usr/bin/:/bin:/opt/bin"

// runtimeAPIVariable tells a bootstrap where its Runtime API is. Its value is unlike any other environment's.
const runtimeAPIVariable = "AWS_LAMBDA_RUNTIME_API"
