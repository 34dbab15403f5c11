package local

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
)

// memoryFiles are the files of a process in /proc that tell about its memory. They stay open, because opening one takes longer than reading it.
type memoryFiles struct {
	status procFile // has the most as well, and takes the kernel seven times as long as statm
	statm  procFile
}

func (m *memoryFiles) close() {
	m.status.close()
	m.statm.close()
}

// procFile is a file of proc(5) that is read again and again.
type procFile struct {
	file *os.File
	text []byte
}

// read gives the present contents, nil if the process is gone.
func (f *procFile) read(pid int, name string) []byte {
	if f.file == nil {
		file, err := os.Open("/proc/" + strconv.Itoa(pid) + "/" + name)
		if err != nil {
			return nil
		}
		f.file = file
	}
	for {
		n, err := f.file.ReadAt(f.text, 0)
		switch {
		case errors.Is(err, io.EOF):
			return f.text[:n]
		case err != nil:
			return nil
		}
		// A status file has some 1,500 bytes, but it names all groups of the user.
		f.text = make([]byte, max(4096, 2*len(f.text)))
	}
}

func (f *procFile) close() { _ = f.file.Close() } // fine without a file

// memory is the resident memory of a running bootstrap in bytes: now, and at most since it started. False if it is gone.
func (p *process) memory() (now, peak int64, ok bool) {
	status := p.memoryFiles.status.read(p.cmd.Process.Pid, "status")
	now, ok = statusKB(status, "VmRSS:")
	peak, _ = statusKB(status, "VmHWM:")
	return now, max(now, peak), ok
}

// resident is the resident memory of a running bootstrap in bytes, 0 if it is gone. It is a fast look: the kernel may be behind by some pages.
func (p *process) resident() int64 {
	fields := bytes.Fields(p.memoryFiles.statm.read(p.cmd.Process.Pid, "statm"))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64) // 0 if it is no number
	return pages * int64(os.Getpagesize())
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
