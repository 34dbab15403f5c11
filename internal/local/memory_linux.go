package local

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
)

// statusFile is a process's status file of proc(5). It stays open, because opening it takes three times as long as reading it, and it is
// read at each invocation.
type statusFile struct {
	file *os.File
	text []byte
}

// read gives the present contents, nil if the process is gone.
func (s *statusFile) read(pid int) []byte {
	if s.file == nil {
		file, err := os.Open("/proc/" + strconv.Itoa(pid) + "/status")
		if err != nil {
			return nil
		}
		s.file = file
	}
	for {
		n, err := s.file.ReadAt(s.text, 0)
		switch {
		case errors.Is(err, io.EOF):
			return s.text[:n]
		case err != nil:
			return nil
		}
		// It is some 1,500 bytes long, but it names all groups of the user.
		s.text = make([]byte, max(4096, 2*len(s.text)))
	}
}

func (s *statusFile) close() { _ = s.file.Close() } // fine without a file

// memory is the resident memory of a running bootstrap in bytes: now, and at most since it started. False if it is gone.
func (p *process) memory() (now, peak int64, ok bool) {
	status := p.status.read(p.cmd.Process.Pid)
	now, ok = statusKB(status, "VmRSS:")
	peak, _ = statusKB(status, "VmHWM:")
	return now, max(now, peak), ok
}

// groupMemory is the resident memory in bytes of every process group; what its processes share counts for each of them. It reads a file
// for each process of the machine: not for every sample.
func groupMemory() map[int]int64 {
	memory := make(map[int]int64)
	for _, pid := range processes() {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			continue
		}
		if group, pages, ok := groupAndPages(stat); ok {
			memory[group] += pages * int64(os.Getpagesize())
		}
	}
	return memory
}

// statusKB finds a field in kB of a status file (proc(5)) and gives it in bytes.
func statusKB(status []byte, field string) (int64, bool) {
	for line := range bytes.Lines(status) {
		rest, found := bytes.CutPrefix(line, []byte(field))
		if !found {
			continue
		}
		kb, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
		return kb << 10, err == nil
	}
	return 0, false
}

// groupAndPages finds the process group and the resident pages in a stat file (proc(5): fields 5 and 24; the second field is a name in
// brackets that may hold anything).
func groupAndPages(stat []byte) (group int, pages int64, ok bool) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 22 {
		return 0, 0, false
	}
	group, err := strconv.Atoi(string(fields[2]))
	if err != nil {
		return 0, 0, false
	}
	pages, err = strconv.ParseInt(string(fields[21]), 10, 64)
	if err != nil {
		return 0, 0, false
	}
	return group, pages, true
}

// peakMemory is unknown after the end: the kernel counts what the parent used before exec as the child's, so samples are all there is.
func peakMemory(*os.ProcessState) int64 { return 0 }
