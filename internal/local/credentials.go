package local

import (
	"bufio"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Environment completes the environment variables that a user gave for a function, so that a function gets the same ones wherever golam
// runs it. Environ is golam's own environment, each variable as "name=value".
//
//   - With AWS_PROFILE the function finds the profile: the files of the AWS CLI, the user's home folder, where it keeps its logins, the
//     PATH for a profile that runs a program, and the profile's region.
//   - Without any credentials, it gets credentials that nobody has, because a function on Lambda always has some. AWS refuses them.
//
// What the user gave always wins. Nothing else of golam's own environment reaches the function.
func Environment(given map[string]string, environ []string) map[string]string {
	env := map[string]string{}
	maps.Copy(env, given)
	missing := func(name, value string) {
		if _, set := env[name]; !set && value != "" {
			env[name] = value
		}
	}
	switch {
	case env["AWS_ACCESS_KEY_ID"] != "":
	case env["AWS_PROFILE"] != "":
		home := homeFolder(environ)
		missing(homeVariable, home)
		for name, file := range map[string]string{"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"} {
			missing(name, lookUp(environ, name))
			if home != "" {
				missing(name, filepath.Join(home, ".aws", file))
			}
		}
		missing("PATH", strings.TrimSuffix(lambdaPath+string(filepath.ListSeparator)+lookUp(environ, "PATH"), string(filepath.ListSeparator)))
		region := profileRegion(env["AWS_CONFIG_FILE"], env["AWS_PROFILE"])
		missing("AWS_REGION", region)
		missing("AWS_DEFAULT_REGION", env["AWS_REGION"])
	case !hasCredentials(env):
		env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"] = "golam", "golam", "golam"
	}
	return env
}

// hasCredentials reports whether variables lead the AWS SDK to credentials in another way than by a key or a profile.
func hasCredentials(env map[string]string) bool {
	for _, name := range []string{
		"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	} {
		if env[name] != "" {
			return true
		}
	}
	return strings.EqualFold(env["AWS_EC2_METADATA_DISABLED"], "false") // the user wants those of the instance
}

// homeVariable is where programs find the user's home folder.
var homeVariable = map[bool]string{false: "HOME", true: "USERPROFILE"}[runtime.GOOS == "windows"]

func homeFolder(environ []string) string { return lookUp(environ, homeVariable) }

// lookUp finds a variable in an environment, of which the last value counts.
func lookUp(environ []string, name string) (value string) {
	for _, pair := range environ {
		if key, v, _ := strings.Cut(pair, "="); key == name {
			value = v
		}
	}
	return value
}

// profileRegion is the region of a profile in a configuration file of the AWS CLI, "" if it has none or cannot be read. The function
// reads the file itself; this is for the variable that Lambda would set.
func profileRegion(path, profile string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	section := "profile " + profile
	if profile == "default" {
		section = profile
	}
	inside := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if text := strings.TrimSpace(line); strings.HasPrefix(text, "[") {
			name, _, _ := strings.Cut(text[1:], "]")
			inside = strings.Join(strings.Fields(name), " ") == section
			continue
		}
		// An indented line belongs to the setting above it.
		if key, value, found := strings.Cut(line, "="); inside && found && strings.TrimRight(key, " \t") == "region" {
			value, _, _ = strings.Cut(value, " #")
			return strings.TrimSpace(value)
		}
	}
	return ""
}
