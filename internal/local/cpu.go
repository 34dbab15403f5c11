package local

import "time"

// On Lambda a function has the equivalent of one vCPU at 1,769 MB, and in proportion at other sizes (Lambda Developer Guide, "Configure
// Lambda function memory").
const vCPUMemory = 1769

// cpuPeriod is the time over which the processor time is limited. AWS does not document its own; people who measured it found 20 ms.
const cpuPeriod = 20 * time.Millisecond

// cpuQuota is the processor time that a memory size in MB gives in each cpuPeriod.
func cpuQuota(memorySize int) time.Duration {
	return cpuPeriod * time.Duration(memorySize) / vCPUMemory
}

// CheckThrottle says why this machine cannot do what [Function.Throttle] asks for. It is nil if it can.
func CheckThrottle() error {
	group, err := newCPUGroup(cpuPeriod)
	if err != nil {
		return err
	}
	group.remove()
	return nil
}
