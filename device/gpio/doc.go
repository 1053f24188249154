// Package gpio gives the terminal its single wires: lamps, a buzzer, the switch that feels the case being opened, the warning
// that the power fails, a modem's keys, and switches of a printer that does not speak.
//
// The real board's lines come through the Linux GPIO character device (include/uapi/linux/gpio.h, uAPI v2, kernel 5.10 or
// newer) by periph.io/x/host/v3/gpioioctl; device/devicetest has a chip of memory with the same interface. A line is named
// as the kernel names it, or by its chip's label and number: the numbers of /dev/gpiochipN change from boot to boot.
//
// What goes wrong: a line that is not there, or is another program's, is an error when it is opened, before trade. A line
// that fails later reads as low: so wire a switch that guards something active-low, and a torn wire is an alarm.
package gpio
