/**
 * Shapes that a Debian boot meets, in the form of `shapeKey`, generated ahead in one module; two joined by "+" share a handler.
 * Only a hint: what is not here is generated when it is met, and a line too many costs a few microseconds.
 */
export const COMMON_SHAPES: readonly string[] = `
ADC|-1|16|64|64|none|gpr 16 b|immediate 16 b
ADC|-1|32|64|64|none|gpr 32 b|immediate 32 b
ADC|-1|32|64|64|none|memory 32 b|immediate 32 b
ADC|-1|64|64|64|none|gpr 64 b|immediate 64 b
ADD|-1|16|64|64|none|gpr 16 b|immediate 16 b
ADD|-1|16|64|64|none|gpr 16 b|memory 16 b
ADD|-1|16|64|64|none|memory 16 b|gpr 16 b
ADD|-1|32|64|64|none|gpr 32 b|gpr 32 b
ADD|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|2|64|64|64|none|relative 0 b near
ADD|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
ADD|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
ADD|-1|32|64|64|none|gpr 32 b|immediate 32 b
ADD|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|14|64|64|64|none|relative 0 b near
ADD|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
ADD|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
ADD|-1|32|64|64|none|gpr 32 b|memory 32 b
ADD|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|2|64|64|64|none|relative 0 b near
ADD|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|4|64|64|64|none|relative 0 b near
ADD|-1|32|64|64|none|gpr 32 b|memory 32 r
ADD|-1|32|64|64|none|gpr 32 b|memory 32 x
ADD|-1|32|64|64|none|gpr 8 b|gpr 8 b
ADD|-1|32|64|64|none|gpr 8 b|memory 8 b
ADD|-1|32|64|64|none|gpr 8 b|memory 8 x
ADD|-1|32|64|64|none|memory 32 b|gpr 32 b
ADD|-1|32|64|64|none|memory 32 b|immediate 32 b
ADD|-1|32|64|64|none|memory 32 r|gpr 32 b
ADD|-1|32|64|64|none|memory 32 r|immediate 32 b
ADD|-1|32|64|64|none|memory 32 s|gpr 32 b
ADD|-1|32|64|64|none|memory 32 s|immediate 32 b
ADD|-1|32|64|64|none|memory 32 x|gpr 32 b
ADD|-1|32|64|64|none|memory 32 x|immediate 32 b
ADD|-1|32|64|64|none|memory 8 b|immediate 8 b
ADD|-1|32|64|64|none|memory 8 r|immediate 8 b
ADD|-1|64|64|64|none|gpr 64 b|gpr 64 b
ADD|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b
ADD|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b
ADD|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|8|64|64|64|none|relative 0 b
ADD|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|8|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|9|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|immediate 64 b
ADD|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|12|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|15|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|2|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|3|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b
ADD|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b
ADD|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|8|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|memory 64 b
ADD|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|2|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|4|64|64|64|none|relative 0 b
ADD|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|4|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|8|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|9|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|memory 64 r
ADD|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|2|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|4|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|memory 64 s
ADD|-1|64|64|64|none|gpr 64 b|memory 64 s+Jcc|4|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|memory 64 x
ADD|-1|64|64|64|none|gpr 64 b|memory 64 x+Jcc|2|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|gpr 64 b|memory 64 x+Jcc|5|64|64|64|none|relative 0 b near
ADD|-1|64|64|64|none|memory 64 b|gpr 64 b
ADD|-1|64|64|64|none|memory 64 b|immediate 64 b
ADD|-1|64|64|64|none|memory 64 r|gpr 64 b
ADD|-1|64|64|64|none|memory 64 r|immediate 64 b
ADD|-1|64|64|64|none|memory 64 s|gpr 64 b
ADD|-1|64|64|64|none|memory 64 x|gpr 64 b
ADD|-1|64|64|64|none|memory 64 x|immediate 64 b
AND|-1|16|64|64|none|gpr 16 b|gpr 16 b
AND|-1|16|64|64|none|gpr 16 b|gpr 16 b+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|16|64|64|none|gpr 16 b|immediate 16 b
AND|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b
AND|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|16|64|64|none|gpr 16 b|memory 16 b
AND|-1|16|64|64|none|gpr 16 b|memory 16 b+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|16|64|64|none|memory 16 b|gpr 16 b
AND|-1|16|64|64|none|memory 16 b|immediate 16 b
AND|-1|16|64|64|none|memory 16 x|gpr 16 b
AND|-1|32|32|64|none|gpr 32 b|immediate 32 b
AND|-1|32|64|64|none|gpr 32 b|gpr 32 b
AND|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 32 b|immediate 32 b
AND|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b
AND|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b
AND|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 32 b|memory 32 b
AND|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 32 b|memory 32 r
AND|-1|32|64|64|none|gpr 32 b|memory 32 x
AND|-1|32|64|64|none|gpr 32 b|memory 32 x+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 8 b|gpr 8 b
AND|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b
AND|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 8 b|immediate 8 b
AND|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
AND|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b
AND|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 8 b|memory 8 b
AND|-1|32|64|64|none|gpr 8 b|memory 8 b+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 8 b|memory 8 r
AND|-1|32|64|64|none|gpr 8 b|memory 8 r+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|32|64|64|none|gpr 8 b|memory 8 x
AND|-1|32|64|64|none|memory 32 b|gpr 32 b
AND|-1|32|64|64|none|memory 32 b|immediate 32 b
AND|-1|32|64|64|none|memory 32 r|gpr 32 b
AND|-1|32|64|64|none|memory 32 r|immediate 32 b
AND|-1|32|64|64|none|memory 32 s|immediate 32 b
AND|-1|32|64|64|none|memory 32 x|immediate 32 b
AND|-1|32|64|64|none|memory 8 b|gpr 8 b
AND|-1|32|64|64|none|memory 8 b|immediate 8 b
AND|-1|32|64|64|none|memory 8 r|immediate 8 b
AND|-1|32|64|64|none|memory 8 x|immediate 8 b
AND|-1|64|64|64|none|gpr 64 b|gpr 64 b
AND|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b
AND|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|64|64|64|none|gpr 64 b|immediate 64 b
AND|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|14|64|64|64|none|relative 0 b near
AND|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b
AND|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|64|64|64|none|gpr 64 b|memory 64 b
AND|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|64|64|64|none|gpr 64 b|memory 64 r
AND|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|64|64|64|none|gpr 64 b|memory 64 x
AND|-1|64|64|64|none|gpr 64 b|memory 64 x+Jcc|4|64|64|64|none|relative 0 b near
AND|-1|64|64|64|none|gpr 64 b|memory 64 x+Jcc|5|64|64|64|none|relative 0 b near
AND|-1|64|64|64|none|memory 64 b|gpr 64 b
AND|-1|64|64|64|none|memory 64 b|immediate 64 b
AND|-1|64|64|64|none|memory 64 r|gpr 64 b
AND|-1|64|64|64|none|memory 64 r|immediate 64 b
AND|-1|64|64|64|none|memory 64 x|gpr 64 b
AND|-1|64|64|64|none|memory 64 x|immediate 64 b
BSF|-1|32|64|64|none|gpr 32 b|gpr 32 b
BSF|-1|64|64|64|none|gpr 64 b|gpr 64 b
BSF|-1|64|64|64|none|gpr 64 b|memory 64 b
BSR|-1|32|64|64|none|gpr 32 b|gpr 32 b
BSR|-1|32|64|64|none|gpr 32 b|memory 32 r
BSR|-1|64|64|64|none|gpr 64 b|gpr 64 b
BSR|-1|64|64|64|none|gpr 64 b|memory 64 r
BSWAP|-1|32|64|64|none|gpr 32 b
BSWAP|-1|64|64|64|none|gpr 64 b
BTR|-1|32|64|64|none|gpr 32 b|immediate 8 b
BTR|-1|64|64|64|none|gpr 64 b|gpr 64 b
BTR|-1|64|64|64|none|gpr 64 b|immediate 8 b
BTR|-1|64|64|64|none|memory 64 b|gpr 64 b
BTR|-1|64|64|64|none|memory 64 b|immediate 8 b
BTR|-1|64|64|64|none|memory 64 r|gpr 64 b
BTS|-1|32|64|64|none|gpr 32 b|immediate 8 b
BTS|-1|32|64|64|none|memory 32 r|immediate 8 b
BTS|-1|64|64|64|none|gpr 64 b|gpr 64 b
BTS|-1|64|64|64|none|gpr 64 b|immediate 8 b
BTS|-1|64|64|64|none|memory 64 b|gpr 64 b
BTS|-1|64|64|64|none|memory 64 b|immediate 8 b
BTS|-1|64|64|64|none|memory 64 r|gpr 64 b
BTS|-1|64|64|64|none|memory 64 r|immediate 8 b
BTS|-1|64|64|64|none|memory 64 x|immediate 8 b
BT|-1|32|64|64|none|gpr 32 b|gpr 32 b
BT|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|2|64|64|64|none|relative 0 b near
BT|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|3|64|64|64|none|relative 0 b near
BT|-1|32|64|64|none|gpr 32 b|immediate 8 b
BT|-1|32|64|64|none|gpr 32 b|immediate 8 b+Jcc|2|64|64|64|none|relative 0 b
BT|-1|32|64|64|none|gpr 32 b|immediate 8 b+Jcc|2|64|64|64|none|relative 0 b near
BT|-1|32|64|64|none|gpr 32 b|immediate 8 b+Jcc|3|64|64|64|none|relative 0 b
BT|-1|32|64|64|none|gpr 32 b|immediate 8 b+Jcc|3|64|64|64|none|relative 0 b near
BT|-1|32|64|64|none|memory 32 b|immediate 8 b
BT|-1|32|64|64|none|memory 32 b|immediate 8 b+Jcc|2|64|64|64|none|relative 0 b near
BT|-1|32|64|64|none|memory 32 r|gpr 32 b
BT|-1|64|64|64|none|gpr 64 b|gpr 64 b
BT|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b
BT|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b near
BT|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b
BT|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b near
BT|-1|64|64|64|none|gpr 64 b|immediate 8 b
BT|-1|64|64|64|none|gpr 64 b|immediate 8 b+Jcc|2|64|64|64|none|relative 0 b
BT|-1|64|64|64|none|gpr 64 b|immediate 8 b+Jcc|2|64|64|64|none|relative 0 b near
BT|-1|64|64|64|none|gpr 64 b|immediate 8 b+Jcc|3|64|64|64|none|relative 0 b
BT|-1|64|64|64|none|gpr 64 b|immediate 8 b+Jcc|3|64|64|64|none|relative 0 b near
BT|-1|64|64|64|none|memory 64 b|gpr 64 b
BT|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b near
BT|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b
BT|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b near
BT|-1|64|64|64|none|memory 64 b|immediate 8 b
BT|-1|64|64|64|none|memory 64 b|immediate 8 b+Jcc|2|64|64|64|none|relative 0 b
BT|-1|64|64|64|none|memory 64 r|gpr 64 b
BT|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b near
BT|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b
BT|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b near
BT|-1|64|64|64|none|memory 64 x|gpr 64 b
BT|-1|64|64|64|none|memory 64 x|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b near
CALL|-1|64|64|64|none|gpr 64 b
CALL|-1|64|64|64|none|memory 64 b
CALL|-1|64|64|64|none|memory 64 r
CALL|-1|64|64|64|none|memory 64 x
CALL|-1|64|64|64|none|relative 0 b
CALL|-1|64|64|64|none|relative 0 b near
CDQE|-1|64|64|64|none
CDQ|-1|32|64|64|none
CLD|-1|32|64|64|none
CLFLUSH|-1|32|64|64|none|memory 8 b
CLAC|-1|32|64|64|none
CLI|-1|32|64|64|none
CMOVcc|0|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|12|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|12|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|13|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|13|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|14|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|14|32|64|64|none|gpr 32 b|memory 32 b
CMOVcc|14|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|15|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|15|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|2|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|2|32|64|64|none|gpr 32 b|memory 32 r
CMOVcc|2|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|2|64|64|64|none|gpr 64 b|memory 64 r
CMOVcc|3|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|3|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|3|64|64|64|none|gpr 64 b|memory 64 b
CMOVcc|4|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|4|32|64|64|none|gpr 32 b|memory 32 b
CMOVcc|4|32|64|64|none|gpr 32 b|memory 32 r
CMOVcc|4|32|64|64|none|gpr 32 b|memory 32 s
CMOVcc|4|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|4|64|64|64|none|gpr 64 b|memory 64 b
CMOVcc|4|64|64|64|none|gpr 64 b|memory 64 r
CMOVcc|4|64|64|64|none|gpr 64 b|memory 64 s
CMOVcc|5|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|5|32|64|64|none|gpr 32 b|memory 32 b
CMOVcc|5|32|64|64|none|gpr 32 b|memory 32 r
CMOVcc|5|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|5|64|64|64|none|gpr 64 b|memory 64 b
CMOVcc|5|64|64|64|none|gpr 64 b|memory 64 r
CMOVcc|6|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|6|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|7|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|7|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|8|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|8|64|64|64|none|gpr 64 b|gpr 64 b
CMOVcc|9|32|64|64|none|gpr 32 b|gpr 32 b
CMOVcc|9|64|64|64|none|gpr 64 b|gpr 64 b
CMPS|-1|32|64|64|rep|memory 8 b|memory 8 b
CMPXCHG16B|-1|64|64|64|none|memory 128 b
CMPXCHG16B|-1|64|64|64|none|memory 128 x
CMPXCHG|-1|32|64|64|none|memory 32 b|gpr 32 b
CMPXCHG|-1|32|64|64|none|memory 32 r|gpr 32 b
CMPXCHG|-1|32|64|64|none|memory 32 s|gpr 32 b
CMPXCHG|-1|32|64|64|none|memory 32 x|gpr 32 b
CMPXCHG|-1|32|64|64|none|memory 8 x|gpr 8 b
CMPXCHG|-1|64|64|64|none|memory 64 b|gpr 64 b
CMPXCHG|-1|64|64|64|none|memory 64 r|gpr 64 b
CMPXCHG|-1|64|64|64|none|memory 64 s|gpr 64 b
CMPXCHG|-1|64|64|64|none|memory 64 x|gpr 64 b
CMP|-1|16|64|64|none|gpr 16 b|gpr 16 b
CMP|-1|16|64|64|none|gpr 16 b|gpr 16 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|gpr 16 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|gpr 16 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|immediate 16 b
CMP|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|6|64|64|64|none|relative 0 b
CMP|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|7|64|64|64|none|relative 0 b
CMP|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|memory 16 b
CMP|-1|16|64|64|none|gpr 16 b|memory 16 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|memory 16 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|16|64|64|none|gpr 16 b|memory 16 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|memory 16 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|memory 16 r
CMP|-1|16|64|64|none|gpr 16 b|memory 16 r+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|gpr 16 b|memory 16 x
CMP|-1|16|64|64|none|gpr 16 b|memory 16 x+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 b|gpr 16 b
CMP|-1|16|64|64|none|memory 16 b|gpr 16 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 b|gpr 16 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 b|gpr 16 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 b|gpr 16 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 b|immediate 16 b
CMP|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|6|64|64|64|none|relative 0 b
CMP|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|7|64|64|64|none|relative 0 b
CMP|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 r|immediate 16 b
CMP|-1|16|64|64|none|memory 16 r|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|16|64|64|none|memory 16 r|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 r|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 r|immediate 16 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 r|immediate 16 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 s|immediate 16 b
CMP|-1|16|64|64|none|memory 16 s|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 s|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|16|64|64|none|memory 16 x|immediate 16 b
CMP|-1|16|64|64|none|memory 16 x|immediate 16 b+Jcc|8|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|12|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|13|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|14|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|15|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|12|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|14|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|15|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|6|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|7|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|12|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|13|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 r
CMP|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|14|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 s
CMP|-1|32|64|64|none|gpr 32 b|memory 32 s+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 s+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 x
CMP|-1|32|64|64|none|gpr 32 b|memory 32 x+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 x+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 x+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 x+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 x+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 32 b|memory 32 x+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|gpr 8 b
CMP|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|immediate 8 b
CMP|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|6|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|7|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|memory 8 b
CMP|-1|32|64|64|none|gpr 8 b|memory 8 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|memory 8 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 8 b|memory 8 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|memory 8 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|memory 8 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|gpr 8 b|memory 8 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|memory 8 r
CMP|-1|32|64|64|none|gpr 8 b|memory 8 r+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|memory 8 x
CMP|-1|32|64|64|none|gpr 8 b|memory 8 x+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|gpr 8 b|memory 8 x+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|12|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|13|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|14|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|15|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|gpr 32 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|14|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|15|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|6|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|7|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|8|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|8|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|gpr 32 b
CMP|-1|32|64|64|none|memory 32 r|gpr 32 b+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|gpr 32 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|gpr 32 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|gpr 32 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|gpr 32 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|gpr 32 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|15|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 s|gpr 32 b
CMP|-1|32|64|64|none|memory 32 s|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 s|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 s|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 s|immediate 32 b
CMP|-1|32|64|64|none|memory 32 s|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 x|gpr 32 b
CMP|-1|32|64|64|none|memory 32 x|gpr 32 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 x|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 x|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 x|immediate 32 b
CMP|-1|32|64|64|none|memory 32 x|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 32 x|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 32 x|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 b|gpr 8 b
CMP|-1|32|64|64|none|memory 8 b|gpr 8 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 b|gpr 8 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 8 b|gpr 8 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 b|gpr 8 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|6|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|7|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|8|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|8|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 r|gpr 8 b
CMP|-1|32|64|64|none|memory 8 r|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 r|immediate 8 b
CMP|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 s|immediate 8 b
CMP|-1|32|64|64|none|memory 8 s|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 s|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 x|gpr 8 b
CMP|-1|32|64|64|none|memory 8 x|gpr 8 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 x|immediate 8 b
CMP|-1|32|64|64|none|memory 8 x|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|32|64|64|none|memory 8 x|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 x|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|32|64|64|none|memory 8 x|immediate 8 b+Jcc|7|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|12|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|14|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|15|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|6|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|8|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|8|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|9|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|14|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|15|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|6|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|7|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|8|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 s
CMP|-1|64|64|64|none|gpr 64 b|memory 64 s+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 x
CMP|-1|64|64|64|none|gpr 64 b|memory 64 x+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 x+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|gpr 64 b|memory 64 x+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|12|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|14|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|8|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|9|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|gpr 64 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|14|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|15|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|15|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|6|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|8|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|8|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|gpr 64 b
CMP|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|13|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|14|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|gpr 64 b+Jcc|8|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|immediate 64 b
CMP|-1|64|64|64|none|memory 64 r|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 r|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 r|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|immediate 64 b+Jcc|6|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|immediate 64 b+Jcc|7|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|immediate 64 b+Jcc|8|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 r|immediate 64 b+Jcc|8|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 r|immediate 64 b+Jcc|9|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 s|gpr 64 b
CMP|-1|64|64|64|none|memory 64 s|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 s|immediate 64 b
CMP|-1|64|64|64|none|memory 64 s|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 s|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 x|gpr 64 b
CMP|-1|64|64|64|none|memory 64 x|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 x|gpr 64 b+Jcc|3|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 x|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 x|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 x|immediate 64 b
CMP|-1|64|64|64|none|memory 64 x|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b
CMP|-1|64|64|64|none|memory 64 x|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 x|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
CMP|-1|64|64|64|none|memory 64 x|immediate 64 b+Jcc|7|64|64|64|none|relative 0 b near
CQO|-1|64|64|64|none
DEC|-1|32|64|64|none|gpr 32 b
DEC|-1|32|64|64|none|gpr 32 b+Jcc|12|64|64|64|none|relative 0 b near
DEC|-1|32|64|64|none|gpr 32 b+Jcc|14|64|64|64|none|relative 0 b near
DEC|-1|32|64|64|none|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
DEC|-1|32|64|64|none|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
DEC|-1|32|64|64|none|gpr 32 b+Jcc|8|64|64|64|none|relative 0 b near
DEC|-1|32|64|64|none|gpr 32 b+Jcc|9|64|64|64|none|relative 0 b near
DEC|-1|32|64|64|none|gpr 8 b
DEC|-1|32|64|64|none|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b near
DEC|-1|32|64|64|none|gpr 8 b+Jcc|5|64|64|64|none|relative 0 b near
DEC|-1|32|64|64|none|memory 32 b
DEC|-1|32|64|64|none|memory 32 r
DEC|-1|32|64|64|none|memory 32 s
DEC|-1|32|64|64|none|memory 32 x
DEC|-1|64|64|64|none|gpr 64 b
DEC|-1|64|64|64|none|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
DEC|-1|64|64|64|none|memory 64 b
DEC|-1|64|64|64|none|memory 64 r
DEC|-1|64|64|64|none|memory 64 s
DEC|-1|64|64|64|none|memory 64 x
DIV|-1|32|64|64|none|gpr 32 b
DIV|-1|32|64|64|none|memory 32 b
DIV|-1|32|64|64|none|memory 32 r
DIV|-1|64|64|64|none|gpr 64 b
DIV|-1|64|64|64|none|memory 64 b
DIV|-1|64|64|64|none|memory 64 r
IDIV|-1|32|64|64|none|gpr 32 b
IDIV|-1|32|64|64|none|memory 32 b
IDIV|-1|32|64|64|none|memory 32 r
IDIV|-1|64|64|64|none|gpr 64 b
IMUL|-1|32|64|64|none|gpr 32 b|gpr 32 b
IMUL|-1|32|64|64|none|gpr 32 b|gpr 32 b|immediate 32 b
IMUL|-1|32|64|64|none|gpr 32 b|memory 32 b
IMUL|-1|32|64|64|none|gpr 32 b|memory 32 b|immediate 32 b
IMUL|-1|32|64|64|none|gpr 32 b|memory 32 r
IMUL|-1|32|64|64|none|gpr 32 b|memory 32 r|immediate 32 b
IMUL|-1|32|64|64|none|gpr 32 b|memory 32 x
IMUL|-1|32|64|64|none|gpr 32 b|memory 32 x|immediate 32 b
IMUL|-1|64|64|64|none|gpr 64 b
IMUL|-1|64|64|64|none|gpr 64 b|gpr 64 b
IMUL|-1|64|64|64|none|gpr 64 b|gpr 64 b|immediate 64 b
IMUL|-1|64|64|64|none|gpr 64 b|memory 64 b
IMUL|-1|64|64|64|none|gpr 64 b|memory 64 b|immediate 64 b
IMUL|-1|64|64|64|none|gpr 64 b|memory 64 r
IMUL|-1|64|64|64|none|gpr 64 b|memory 64 r|immediate 64 b
IMUL|-1|64|64|64|none|gpr 64 b|memory 64 x
INC|-1|32|64|64|none|gpr 32 b
INC|-1|32|64|64|none|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
INC|-1|32|64|64|none|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
INC|-1|32|64|64|none|memory 32 b
INC|-1|32|64|64|none|memory 32 r
INC|-1|32|64|64|none|memory 32 s
INC|-1|32|64|64|none|memory 32 x
INC|-1|32|64|64|none|memory 8 r
INC|-1|64|64|64|none|gpr 64 b
INC|-1|64|64|64|none|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b near
INC|-1|64|64|64|none|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
INC|-1|64|64|64|none|memory 64 b
INC|-1|64|64|64|none|memory 64 r
INC|-1|64|64|64|none|memory 64 s
INC|-1|64|64|64|none|memory 64 x
IRETQ|-1|64|64|64|none
JMP|-1|32|32|64|none|relative 0 b
JMP|-1|64|64|64|none|gpr 64 b
JMP|-1|64|64|64|none|memory 64 r
JMP|-1|64|64|64|none|memory 64 x
JMP|-1|64|64|64|none|relative 0 b
JMP|-1|64|64|64|none|relative 0 b near
Jcc|0|64|64|64|none|relative 0 b
Jcc|0|64|64|64|none|relative 0 b near
Jcc|12|64|64|64|none|relative 0 b
Jcc|12|64|64|64|none|relative 0 b near
Jcc|13|64|64|64|none|relative 0 b
Jcc|13|64|64|64|none|relative 0 b near
Jcc|14|64|64|64|none|relative 0 b
Jcc|14|64|64|64|none|relative 0 b near
Jcc|15|64|64|64|none|relative 0 b
Jcc|15|64|64|64|none|relative 0 b near
Jcc|1|64|64|64|none|relative 0 b near
Jcc|2|64|64|64|none|relative 0 b
Jcc|2|64|64|64|none|relative 0 b near
Jcc|3|64|64|64|none|relative 0 b
Jcc|3|64|64|64|none|relative 0 b near
Jcc|4|64|64|64|none|relative 0 b
Jcc|4|64|64|64|none|relative 0 b near
Jcc|5|64|64|64|none|relative 0 b
Jcc|5|64|64|64|none|relative 0 b near
Jcc|6|64|64|64|none|relative 0 b
Jcc|6|64|64|64|none|relative 0 b near
Jcc|7|64|64|64|none|relative 0 b
Jcc|7|64|64|64|none|relative 0 b near
Jcc|8|64|64|64|none|relative 0 b
Jcc|8|64|64|64|none|relative 0 b near
Jcc|9|64|64|64|none|relative 0 b
Jcc|9|64|64|64|none|relative 0 b near
LDMXCSR|-1|32|64|64|none|memory 32 b
LEAVE|-1|64|64|64|none
LEA|-1|32|64|64|none|gpr 32 b|memory 0 b
LEA|-1|32|64|64|none|gpr 32 b|memory 0 x
LEA|-1|64|64|64|none|gpr 64 b|memory 0 b
LEA|-1|64|64|64|none|gpr 64 b|memory 0 r
LEA|-1|64|64|64|none|gpr 64 b|memory 0 x
LFENCE|-1|32|64|64|none
MFENCE|-1|32|64|64|none
MOV.segment|-1|16|64|64|none|gpr 16 b|selector 16 b
MOV.segment|-1|32|32|64|none|selector 16 b|gpr 32 b
MOV.segment|-1|32|64|64|none|gpr 32 b|selector 16 b
MOV.segment|-1|32|64|64|none|selector 16 b|gpr 32 b
MOVAPS|-1|32|64|64|none|memory 128 b|xmm 128 b
MOVAPS|-1|32|64|64|none|memory 128 r|xmm 128 b
MOVAPS|-1|32|64|64|none|memory 128 x|xmm 128 b
MOVAPS|-1|32|64|64|none|xmm 128 b|memory 128 b
MOVAPS|-1|32|64|64|none|xmm 128 b|memory 128 r
MOVAPS|-1|32|64|64|none|xmm 128 b|memory 128 x
MOVAPS|-1|32|64|64|none|xmm 128 b|xmm 128 b
MOVDQA|-1|32|64|64|none|memory 128 b|xmm 128 b
MOVDQA|-1|32|64|64|none|xmm 128 b|memory 128 b
MOVDQA|-1|32|64|64|none|xmm 128 b|memory 128 r
MOVDQA|-1|32|64|64|none|xmm 128 b|memory 128 x
MOVDQA|-1|32|64|64|none|xmm 128 b|xmm 128 b
MOVDQU|-1|32|64|64|none|memory 128 b|xmm 128 b
MOVDQU|-1|32|64|64|none|memory 128 x|xmm 128 b
MOVDQU|-1|32|64|64|none|xmm 128 b|memory 128 b
MOVDQU|-1|32|64|64|none|xmm 128 b|memory 128 x
MOVD|-1|32|64|64|none|gpr 32 b|xmm 128 b
MOVD|-1|32|64|64|none|xmm 128 b|gpr 32 b
MOVD|-1|32|64|64|none|xmm 128 b|memory 32 b
MOVD|-1|32|64|64|none|xmm 128 b|memory 32 r
MOVD|-1|32|64|64|none|xmm 128 b|memory 32 x
MOVHPS|-1|32|64|64|none|xmm 128 b|memory 64 b
MOVHPS|-1|32|64|64|none|xmm 128 b|memory 64 r
MOVQ|-1|32|64|64|none|memory 64 b|xmm 128 b
MOVQ|-1|32|64|64|none|memory 64 r|xmm 128 b
MOVQ|-1|32|64|64|none|xmm 128 b|memory 64 b
MOVQ|-1|32|64|64|none|xmm 128 b|memory 64 r
MOVQ|-1|64|64|64|none|gpr 64 b|xmm 128 b
MOVQ|-1|64|64|64|none|xmm 128 b|gpr 64 b
MOVSXD|-1|64|64|64|none|gpr 64 b|gpr 32 b
MOVSXD|-1|64|64|64|none|gpr 64 b|memory 32 b
MOVSXD|-1|64|64|64|none|gpr 64 b|memory 32 r
MOVSXD|-1|64|64|64|none|gpr 64 b|memory 32 s
MOVSXD|-1|64|64|64|none|gpr 64 b|memory 32 x
MOVSX|-1|16|64|64|none|gpr 16 b|memory 8 b
MOVSX|-1|32|64|64|none|gpr 32 b|gpr 16 b
MOVSX|-1|32|64|64|none|gpr 32 b|gpr 8 b
MOVSX|-1|32|64|64|none|gpr 32 b|memory 16 b
MOVSX|-1|32|64|64|none|gpr 32 b|memory 16 r
MOVSX|-1|32|64|64|none|gpr 32 b|memory 16 x
MOVSX|-1|32|64|64|none|gpr 32 b|memory 8 b
MOVSX|-1|32|64|64|none|gpr 32 b|memory 8 r
MOVSX|-1|32|64|64|none|gpr 32 b|memory 8 x
MOVSX|-1|64|64|64|none|gpr 64 b|gpr 8 b
MOVSX|-1|64|64|64|none|gpr 64 b|memory 16 b
MOVSX|-1|64|64|64|none|gpr 64 b|memory 16 x
MOVSX|-1|64|64|64|none|gpr 64 b|memory 8 b
MOVSX|-1|64|64|64|none|gpr 64 b|memory 8 x
MOVS|-1|32|64|64|rep|memory 32 b|memory 32 b
MOVS|-1|32|64|64|rep|memory 8 b|memory 8 b
MOVS|-1|64|64|64|none|memory 64 b|memory 64 b
MOVS|-1|64|64|64|rep|memory 64 b|memory 64 b
MOVUPS|-1|32|64|64|none|memory 128 b|xmm 128 b
MOVUPS|-1|32|64|64|none|memory 128 r|xmm 128 b
MOVUPS|-1|32|64|64|none|memory 128 x|xmm 128 b
MOVUPS|-1|32|64|64|none|xmm 128 b|memory 128 b
MOVUPS|-1|32|64|64|none|xmm 128 b|memory 128 x
MOVZX|-1|32|64|64|none|gpr 32 b|gpr 16 b
MOVZX|-1|32|64|64|none|gpr 32 b|gpr 8 b
MOVZX|-1|32|64|64|none|gpr 32 b|memory 16 b
MOVZX|-1|32|64|64|none|gpr 32 b|memory 16 r
MOVZX|-1|32|64|64|none|gpr 32 b|memory 16 s
MOVZX|-1|32|64|64|none|gpr 32 b|memory 16 x
MOVZX|-1|32|64|64|none|gpr 32 b|memory 8 b
MOVZX|-1|32|64|64|none|gpr 32 b|memory 8 r
MOVZX|-1|32|64|64|none|gpr 32 b|memory 8 s
MOVZX|-1|32|64|64|none|gpr 32 b|memory 8 x
MOVZX|-1|64|64|64|none|gpr 64 b|memory 8 b
MOVZX|-1|64|64|64|none|gpr 64 b|memory 8 x
MOV|-1|16|64|64|none|gpr 16 b|gpr 16 b
MOV|-1|16|64|64|none|gpr 16 b|immediate 16 b
MOV|-1|16|64|64|none|gpr 16 b|memory 16 b
MOV|-1|16|64|64|none|gpr 16 b|memory 16 r
MOV|-1|16|64|64|none|gpr 16 b|memory 16 x
MOV|-1|16|64|64|none|memory 16 b|gpr 16 b
MOV|-1|16|64|64|none|memory 16 b|immediate 16 b
MOV|-1|16|64|64|none|memory 16 r|gpr 16 b
MOV|-1|16|64|64|none|memory 16 r|immediate 16 b
MOV|-1|16|64|64|none|memory 16 s|gpr 16 b
MOV|-1|16|64|64|none|memory 16 x|gpr 16 b
MOV|-1|16|64|64|none|memory 16 x|immediate 16 b
MOV|-1|32|32|64|none|gpr 32 b|gpr 32 b
MOV|-1|32|32|64|none|gpr 32 b|immediate 32 b
MOV|-1|32|64|64|none|gpr 32 b|gpr 32 b
MOV|-1|32|64|64|none|gpr 32 b|immediate 32 b
MOV|-1|32|64|64|none|gpr 32 b|memory 32 b
MOV|-1|32|64|64|none|gpr 32 b|memory 32 r
MOV|-1|32|64|64|none|gpr 32 b|memory 32 s
MOV|-1|32|64|64|none|gpr 32 b|memory 32 x
MOV|-1|32|64|64|none|gpr 8 b|gpr 8 b
MOV|-1|32|64|64|none|gpr 8 b|immediate 8 b
MOV|-1|32|64|64|none|gpr 8 b|memory 8 b
MOV|-1|32|64|64|none|gpr 8 b|memory 8 r
MOV|-1|32|64|64|none|gpr 8 b|memory 8 x
MOV|-1|32|64|64|none|memory 32 b|gpr 32 b
MOV|-1|32|64|64|none|memory 32 b|immediate 32 b
MOV|-1|32|64|64|none|memory 32 r|gpr 32 b
MOV|-1|32|64|64|none|memory 32 r|immediate 32 b
MOV|-1|32|64|64|none|memory 32 s|gpr 32 b
MOV|-1|32|64|64|none|memory 32 s|immediate 32 b
MOV|-1|32|64|64|none|memory 32 x|gpr 32 b
MOV|-1|32|64|64|none|memory 32 x|immediate 32 b
MOV|-1|32|64|64|none|memory 8 b|gpr 8 b
MOV|-1|32|64|64|none|memory 8 b|immediate 8 b
MOV|-1|32|64|64|none|memory 8 r|gpr 8 b
MOV|-1|32|64|64|none|memory 8 r|immediate 8 b
MOV|-1|32|64|64|none|memory 8 s|immediate 8 b
MOV|-1|32|64|64|none|memory 8 x|gpr 8 b
MOV|-1|32|64|64|none|memory 8 x|immediate 8 b
MOV|-1|64|64|64|none|gpr 64 b|gpr 64 b
MOV|-1|64|64|64|none|gpr 64 b|immediate 64 b
MOV|-1|64|64|64|none|gpr 64 b|memory 64 b
MOV|-1|64|64|64|none|gpr 64 b|memory 64 r
MOV|-1|64|64|64|none|gpr 64 b|memory 64 s
MOV|-1|64|64|64|none|gpr 64 b|memory 64 x
MOV|-1|64|64|64|none|memory 64 b|gpr 64 b
MOV|-1|64|64|64|none|memory 64 b|immediate 64 b
MOV|-1|64|64|64|none|memory 64 r|gpr 64 b
MOV|-1|64|64|64|none|memory 64 r|immediate 64 b
MOV|-1|64|64|64|none|memory 64 s|gpr 64 b
MOV|-1|64|64|64|none|memory 64 s|immediate 64 b
MOV|-1|64|64|64|none|memory 64 x|gpr 64 b
MOV|-1|64|64|64|none|memory 64 x|immediate 64 b
MUL|-1|32|64|64|none|gpr 32 b
MUL|-1|64|64|64|none|gpr 64 b
MUL|-1|64|64|64|none|memory 64 b
MUL|-1|64|64|64|none|memory 64 x
NEG|-1|32|64|64|none|gpr 32 b
NEG|-1|32|64|64|none|gpr 8 b
NEG|-1|64|64|64|none|gpr 64 b
NOP|-1|16|64|64|none
NOP|-1|16|64|64|none|memory 16 b
NOP|-1|16|64|64|none|memory 16 x
NOP|-1|32|64|64|none
NOP|-1|32|64|64|none|memory 32 b
NOP|-1|32|64|64|none|memory 32 x
NOT|-1|32|64|64|none|gpr 32 b
NOT|-1|64|64|64|none|gpr 64 b
OR|-1|16|64|64|none|gpr 16 b|immediate 16 b
OR|-1|16|64|64|none|gpr 16 b|memory 16 b
OR|-1|16|64|64|none|gpr 16 b|memory 16 b+Jcc|5|64|64|64|none|relative 0 b
OR|-1|16|64|64|none|memory 16 b|immediate 16 b
OR|-1|16|64|64|none|memory 16 r|gpr 16 b
OR|-1|16|64|64|none|memory 16 s|gpr 16 b
OR|-1|32|32|64|none|gpr 32 b|immediate 32 b
OR|-1|32|64|64|none|gpr 32 b|gpr 32 b
OR|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
OR|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
OR|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|8|64|64|64|none|relative 0 b
OR|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|8|64|64|64|none|relative 0 b near
OR|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|9|64|64|64|none|relative 0 b
OR|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|9|64|64|64|none|relative 0 b near
OR|-1|32|64|64|none|gpr 32 b|immediate 32 b
OR|-1|32|64|64|none|gpr 32 b|memory 32 b
OR|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|5|64|64|64|none|relative 0 b near
OR|-1|32|64|64|none|gpr 32 b|memory 32 r
OR|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|4|64|64|64|none|relative 0 b near
OR|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|5|64|64|64|none|relative 0 b
OR|-1|32|64|64|none|gpr 32 b|memory 32 r+Jcc|5|64|64|64|none|relative 0 b near
OR|-1|32|64|64|none|gpr 8 b|gpr 8 b
OR|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b
OR|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b near
OR|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|5|64|64|64|none|relative 0 b
OR|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|5|64|64|64|none|relative 0 b near
OR|-1|32|64|64|none|gpr 8 b|immediate 8 b
OR|-1|32|64|64|none|gpr 8 b|memory 8 b
OR|-1|32|64|64|none|gpr 8 b|memory 8 b+Jcc|5|64|64|64|none|relative 0 b
OR|-1|32|64|64|none|gpr 8 b|memory 8 b+Jcc|5|64|64|64|none|relative 0 b near
OR|-1|32|64|64|none|memory 32 b|gpr 32 b
OR|-1|32|64|64|none|memory 32 b|immediate 32 b
OR|-1|32|64|64|none|memory 32 r|gpr 32 b
OR|-1|32|64|64|none|memory 32 r|immediate 32 b
OR|-1|32|64|64|none|memory 32 s|gpr 32 b
OR|-1|32|64|64|none|memory 32 s|immediate 32 b
OR|-1|32|64|64|none|memory 32 x|gpr 32 b
OR|-1|32|64|64|none|memory 8 b|gpr 8 b
OR|-1|32|64|64|none|memory 8 b|immediate 8 b
OR|-1|32|64|64|none|memory 8 r|immediate 8 b
OR|-1|32|64|64|none|memory 8 x|immediate 8 b
OR|-1|64|64|64|none|gpr 64 b|gpr 64 b
OR|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b
OR|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b near
OR|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
OR|-1|64|64|64|none|gpr 64 b|immediate 64 b
OR|-1|64|64|64|none|gpr 64 b|memory 64 b
OR|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|5|64|64|64|none|relative 0 b near
OR|-1|64|64|64|none|gpr 64 b|memory 64 r
OR|-1|64|64|64|none|gpr 64 b|memory 64 s
OR|-1|64|64|64|none|gpr 64 b|memory 64 x
OR|-1|64|64|64|none|memory 64 b|gpr 64 b
OR|-1|64|64|64|none|memory 64 b|immediate 64 b
OR|-1|64|64|64|none|memory 64 r|gpr 64 b
OR|-1|64|64|64|none|memory 64 r|immediate 64 b
OR|-1|64|64|64|none|memory 64 x|gpr 64 b
OR|-1|64|64|64|none|memory 64 x|immediate 64 b
PADDB|-1|32|64|64|none|xmm 128 b|xmm 128 b
PADDD|-1|32|64|64|none|xmm 128 b|xmm 128 b
PADDQ|-1|32|64|64|none|xmm 128 b|xmm 128 b
PALIGNR|-1|32|64|64|none|xmm 128 b|memory 128 x|immediate 8 b
PALIGNR|-1|32|64|64|none|xmm 128 b|xmm 128 b|immediate 8 b
PANDN|-1|32|64|64|none|xmm 128 b|memory 128 x
PANDN|-1|32|64|64|none|xmm 128 b|xmm 128 b
PAND|-1|32|64|64|none|xmm 128 b|memory 128 x
PAND|-1|32|64|64|none|xmm 128 b|xmm 128 b
PCMPEQB|-1|32|64|64|none|xmm 128 b|memory 128 b
PCMPEQB|-1|32|64|64|none|xmm 128 b|xmm 128 b
PCMPEQD|-1|32|64|64|none|xmm 128 b|xmm 128 b
PCMPGTB|-1|32|64|64|none|xmm 128 b|xmm 128 b
PMAXUB|-1|32|64|64|none|xmm 128 b|xmm 128 b
PMINUB|-1|32|64|64|none|xmm 128 b|memory 128 b
PMINUB|-1|32|64|64|none|xmm 128 b|xmm 128 b
PMOVMSKB|-1|32|64|64|none|gpr 32 b|xmm 128 b
POPCNT|-1|32|64|64|none|gpr 32 b|gpr 32 b
POPCNT|-1|64|64|64|none|gpr 64 b|gpr 64 b
POPFQ|-1|64|64|64|none
POP|-1|64|64|64|none|gpr 64 b
POR|-1|32|64|64|none|xmm 128 b|memory 128 x
POR|-1|32|64|64|none|xmm 128 b|xmm 128 b
PREFETCH|-1|32|64|64|none|memory 8 b
PREFETCH|-1|32|64|64|none|memory 8 x
PSHUFB|-1|32|64|64|none|xmm 128 b|xmm 128 b
PSHUFD|-1|32|64|64|none|xmm 128 b|xmm 128 b|immediate 8 b
PSLLDQ|-1|32|64|64|none|xmm 128 b|immediate 8 b
PSLLD|-1|32|64|64|none|xmm 128 b|immediate 8 b
PSRLDQ|-1|32|64|64|none|xmm 128 b|immediate 8 b
PSRLD|-1|32|64|64|none|xmm 128 b|immediate 8 b
PSUBB|-1|32|64|64|none|xmm 128 b|xmm 128 b
PSUBD|-1|32|64|64|none|xmm 128 b|xmm 128 b
PUNPCKHDQ|-1|32|64|64|none|xmm 128 b|xmm 128 b
PUNPCKLBW|-1|32|64|64|none|xmm 128 b|xmm 128 b
PUNPCKLDQ|-1|32|64|64|none|xmm 128 b|xmm 128 b
PUNPCKLQDQ|-1|32|64|64|none|xmm 128 b|xmm 128 b
PUNPCKLWD|-1|32|64|64|none|xmm 128 b|xmm 128 b
PUSHFQ|-1|64|64|64|none
PUSH|-1|64|64|64|none|gpr 64 b
PUSH|-1|64|64|64|none|immediate 64 b
PUSH|-1|64|64|64|none|memory 64 b
PUSH|-1|64|64|64|none|memory 64 s
PUSH|-1|64|64|64|none|memory 64 x
PXOR|-1|32|64|64|none|xmm 128 b|memory 128 r
PXOR|-1|32|64|64|none|xmm 128 b|xmm 128 b
RDFSBASE|-1|64|64|64|none|gpr 64 b
RDGSBASE|-1|64|64|64|none|gpr 64 b
RDTSCP|-1|32|64|64|none
RDTSC|-1|32|64|64|none
RET|-1|64|64|64|none
ROL|-1|16|64|64|none|gpr 16 b|immediate 8 b
ROL|-1|32|64|64|none|gpr 32 b|gpr 8 b
ROL|-1|32|64|64|none|gpr 32 b|immediate 8 b
ROL|-1|32|64|64|none|gpr 8 b|immediate 8 b
ROL|-1|64|64|64|none|gpr 64 b|gpr 8 b
ROL|-1|64|64|64|none|gpr 64 b|immediate 8 b
ROR|-1|32|64|64|none|gpr 32 b|immediate 8 b
ROR|-1|64|64|64|none|gpr 64 b|immediate 8 b
SAR|-1|16|64|64|none|memory 16 b|immediate 8 b
SAR|-1|32|64|64|none|gpr 32 b|gpr 8 b
SAR|-1|32|64|64|none|gpr 32 b|immediate 8 b
SAR|-1|32|64|64|none|gpr 8 b|immediate 8 b
SAR|-1|32|64|64|none|memory 8 b|immediate 8 b
SAR|-1|64|64|64|none|gpr 64 b|gpr 8 b
SAR|-1|64|64|64|none|gpr 64 b|immediate 8 b
SBB|-1|16|64|64|none|gpr 16 b|gpr 16 b
SBB|-1|16|64|64|none|gpr 16 b|immediate 16 b
SBB|-1|32|64|64|none|gpr 32 b|gpr 32 b
SBB|-1|32|64|64|none|gpr 32 b|immediate 32 b
SBB|-1|32|64|64|none|gpr 8 b|gpr 8 b
SBB|-1|32|64|64|none|gpr 8 b|immediate 8 b
SBB|-1|64|64|64|none|gpr 64 b|gpr 64 b
SBB|-1|64|64|64|none|gpr 64 b|immediate 64 b
SETcc|0|32|64|64|none|gpr 8 b
SETcc|12|32|64|64|none|gpr 8 b
SETcc|13|32|64|64|none|gpr 8 b
SETcc|14|32|64|64|none|gpr 8 b
SETcc|14|32|64|64|none|memory 8 b
SETcc|15|32|64|64|none|gpr 8 b
SETcc|15|32|64|64|none|memory 8 b
SETcc|2|32|64|64|none|gpr 8 b
SETcc|2|32|64|64|none|memory 8 b
SETcc|3|32|64|64|none|gpr 8 b
SETcc|3|32|64|64|none|memory 8 b
SETcc|3|32|64|64|none|memory 8 r
SETcc|4|32|64|64|none|gpr 8 b
SETcc|4|32|64|64|none|memory 8 b
SETcc|4|32|64|64|none|memory 8 r
SETcc|5|32|64|64|none|gpr 8 b
SETcc|5|32|64|64|none|memory 8 b
SETcc|5|32|64|64|none|memory 8 r
SETcc|6|32|64|64|none|gpr 8 b
SETcc|7|32|64|64|none|gpr 8 b
SETcc|8|32|64|64|none|gpr 8 b
SFENCE|-1|32|64|64|none
SHLD|-1|64|64|64|none|gpr 64 b|gpr 64 b|immediate 8 b
SHL|-1|32|64|64|none|gpr 32 b|gpr 8 b
SHL|-1|32|64|64|none|gpr 32 b|immediate 8 b
SHL|-1|32|64|64|none|gpr 32 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
SHL|-1|64|64|64|none|gpr 64 b|gpr 8 b
SHL|-1|64|64|64|none|gpr 64 b|immediate 8 b
SHL|-1|64|64|64|none|gpr 64 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
SHRD|-1|64|64|64|none|gpr 64 b|gpr 64 b|gpr 8 b
SHRD|-1|64|64|64|none|gpr 64 b|gpr 64 b|immediate 8 b
SHR|-1|16|64|64|none|gpr 16 b|immediate 8 b
SHR|-1|32|64|64|none|gpr 32 b|gpr 8 b
SHR|-1|32|64|64|none|gpr 32 b|immediate 8 b
SHR|-1|32|64|64|none|gpr 32 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
SHR|-1|32|64|64|none|gpr 32 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
SHR|-1|32|64|64|none|gpr 32 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b
SHR|-1|32|64|64|none|gpr 32 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
SHR|-1|32|64|64|none|gpr 8 b|immediate 8 b
SHR|-1|32|64|64|none|memory 8 b|immediate 8 b
SHR|-1|64|64|64|none|gpr 64 b|gpr 8 b
SHR|-1|64|64|64|none|gpr 64 b|immediate 8 b
SHR|-1|64|64|64|none|gpr 64 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
SHR|-1|64|64|64|none|gpr 64 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
SHR|-1|64|64|64|none|gpr 64 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
STD|-1|32|64|64|none
STI|-1|32|64|64|none
STOS|-1|16|64|64|rep|memory 16 b|gpr 16 b
STOS|-1|32|64|64|rep|memory 32 b|gpr 32 b
STOS|-1|32|64|64|rep|memory 8 b|gpr 8 b
STOS|-1|64|64|64|rep|memory 64 b|gpr 64 b
SUB|-1|16|64|64|none|gpr 16 b|immediate 16 b
SUB|-1|16|64|64|none|gpr 16 b|memory 16 b
SUB|-1|16|64|64|none|memory 16 b|immediate 16 b
SUB|-1|16|64|64|none|memory 16 x|immediate 16 b
SUB|-1|32|64|64|none|gpr 32 b|gpr 32 b
SUB|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|2|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b
SUB|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|8|64|64|64|none|relative 0 b
SUB|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|8|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|14|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|2|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|3|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|6|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|8|64|64|64|none|relative 0 b
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|8|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|9|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|memory 32 b
SUB|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|2|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|5|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|memory 32 b+Jcc|8|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 32 b|memory 32 r
SUB|-1|32|64|64|none|gpr 32 b|memory 32 x
SUB|-1|32|64|64|none|gpr 32 b|memory 32 x+Jcc|5|64|64|64|none|relative 0 b
SUB|-1|32|64|64|none|gpr 32 b|memory 32 x+Jcc|5|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 8 b|gpr 8 b
SUB|-1|32|64|64|none|gpr 8 b|immediate 8 b
SUB|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
SUB|-1|32|64|64|none|gpr 8 b|memory 8 b
SUB|-1|32|64|64|none|memory 32 b|gpr 32 b
SUB|-1|32|64|64|none|memory 32 b|immediate 32 b
SUB|-1|32|64|64|none|memory 32 r|gpr 32 b
SUB|-1|32|64|64|none|memory 32 r|immediate 32 b
SUB|-1|32|64|64|none|memory 8 b|immediate 8 b
SUB|-1|64|64|64|none|gpr 64 b|gpr 64 b
SUB|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|2|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b
SUB|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|6|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|8|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|12|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|2|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|3|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|6|64|64|64|none|relative 0 b
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|6|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|7|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|8|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|9|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|memory 64 b
SUB|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|2|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|4|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|5|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|8|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|memory 64 b+Jcc|9|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|memory 64 r
SUB|-1|64|64|64|none|gpr 64 b|memory 64 r+Jcc|9|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|memory 64 x
SUB|-1|64|64|64|none|gpr 64 b|memory 64 x+Jcc|4|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|gpr 64 b|memory 64 x+Jcc|5|64|64|64|none|relative 0 b
SUB|-1|64|64|64|none|gpr 64 b|memory 64 x+Jcc|5|64|64|64|none|relative 0 b near
SUB|-1|64|64|64|none|memory 64 b|gpr 64 b
SUB|-1|64|64|64|none|memory 64 b|immediate 64 b
SUB|-1|64|64|64|none|memory 64 r|gpr 64 b
SUB|-1|64|64|64|none|memory 64 r|immediate 64 b
SUB|-1|64|64|64|none|memory 64 x|gpr 64 b
SUB|-1|64|64|64|none|memory 64 x|immediate 64 b
SWAPGS|-1|32|64|64|none
TEST|-1|16|64|64|none|gpr 16 b|gpr 16 b
TEST|-1|16|64|64|none|gpr 16 b|gpr 16 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|16|64|64|none|gpr 16 b|gpr 16 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|gpr 16 b|gpr 16 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|16|64|64|none|gpr 16 b|gpr 16 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|gpr 16 b|gpr 16 b+Jcc|8|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|gpr 16 b|gpr 16 b+Jcc|9|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|gpr 16 b|immediate 16 b
TEST|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|16|64|64|none|gpr 16 b|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|memory 16 b|immediate 16 b
TEST|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|16|64|64|none|memory 16 b|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|memory 16 r|immediate 16 b
TEST|-1|16|64|64|none|memory 16 r|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|memory 16 r|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|memory 16 s|immediate 16 b
TEST|-1|16|64|64|none|memory 16 s|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|memory 16 s|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|16|64|64|none|memory 16 s|immediate 16 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|16|64|64|none|memory 16 x|immediate 16 b
TEST|-1|16|64|64|none|memory 16 x|immediate 16 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|14|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|14|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|15|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|15|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|8|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|8|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|9|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 32 b|gpr 32 b+Jcc|9|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 32 b|immediate 32 b
TEST|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 8 b|gpr 8 b
TEST|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|8|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|8|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|9|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 8 b|gpr 8 b+Jcc|9|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 8 b|immediate 8 b
TEST|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|gpr 8 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 32 b|immediate 32 b
TEST|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|memory 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 32 r|immediate 32 b
TEST|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 32 r|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 32 s|immediate 32 b
TEST|-1|32|64|64|none|memory 32 s|immediate 32 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 32 s|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|memory 32 s|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 8 b|gpr 8 b
TEST|-1|32|64|64|none|memory 8 b|gpr 8 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 8 b|immediate 8 b
TEST|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|memory 8 b|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 8 r|immediate 8 b
TEST|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|memory 8 r|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 8 s|immediate 8 b
TEST|-1|32|64|64|none|memory 8 s|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|memory 8 s|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 8 s|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 8 x|immediate 8 b
TEST|-1|32|64|64|none|memory 8 x|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|32|64|64|none|memory 8 x|immediate 8 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|32|64|64|none|memory 8 x|immediate 8 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|14|64|64|64|none|relative 0 b
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|14|64|64|64|none|relative 0 b near
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|15|64|64|64|none|relative 0 b
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|15|64|64|64|none|relative 0 b near
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|8|64|64|64|none|relative 0 b
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|8|64|64|64|none|relative 0 b near
TEST|-1|64|64|64|none|gpr 64 b|gpr 64 b+Jcc|9|64|64|64|none|relative 0 b near
TEST|-1|64|64|64|none|gpr 64 b|immediate 64 b
TEST|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
TEST|-1|64|64|64|none|memory 64 b|immediate 64 b
TEST|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b
TEST|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
TEST|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b
TEST|-1|64|64|64|none|memory 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
UD2|-1|32|64|64|none
WRFSBASE|-1|64|64|64|none|gpr 64 b
WRGSBASE|-1|64|64|64|none|gpr 64 b
XADD|-1|32|64|64|none|memory 32 b|gpr 32 b
XADD|-1|32|64|64|none|memory 32 r|gpr 32 b
XADD|-1|32|64|64|none|memory 32 s|gpr 32 b
XADD|-1|64|64|64|none|memory 64 b|gpr 64 b
XADD|-1|64|64|64|none|memory 64 r|gpr 64 b
XADD|-1|64|64|64|none|memory 64 x|gpr 64 b
XCHG|-1|32|64|64|none|gpr 32 b|gpr 32 b
XCHG|-1|32|64|64|none|gpr 8 b|gpr 8 b
XCHG|-1|32|64|64|none|memory 32 b|gpr 32 b
XCHG|-1|32|64|64|none|memory 32 r|gpr 32 b
XCHG|-1|64|64|64|none|gpr 64 b|gpr 64 b
XCHG|-1|64|64|64|none|memory 64 b|gpr 64 b
XCHG|-1|64|64|64|none|memory 64 r|gpr 64 b
XCHG|-1|64|64|64|none|memory 64 x|gpr 64 b
XORPS|-1|32|64|64|none|xmm 128 b|xmm 128 b
XOR|-1|16|64|64|none|gpr 16 b|gpr 16 b
XOR|-1|32|32|64|none|gpr 32 b|gpr 32 b
XOR|-1|32|64|64|none|gpr 32 b|gpr 32 b
XOR|-1|32|64|64|none|gpr 32 b|immediate 32 b
XOR|-1|32|64|64|none|gpr 32 b|immediate 32 b+Jcc|5|64|64|64|none|relative 0 b near
XOR|-1|32|64|64|none|gpr 32 b|memory 32 b
XOR|-1|32|64|64|none|gpr 32 b|memory 32 x
XOR|-1|32|64|64|none|gpr 8 b|gpr 8 b
XOR|-1|32|64|64|none|gpr 8 b|immediate 8 b
XOR|-1|32|64|64|none|gpr 8 b|memory 8 b
XOR|-1|32|64|64|none|memory 32 b|immediate 32 b
XOR|-1|32|64|64|none|memory 8 b|immediate 8 b
XOR|-1|32|64|64|none|memory 8 x|immediate 8 b
XOR|-1|64|64|64|none|gpr 64 b|gpr 64 b
XOR|-1|64|64|64|none|gpr 64 b|immediate 64 b
XOR|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|4|64|64|64|none|relative 0 b near
XOR|-1|64|64|64|none|gpr 64 b|immediate 64 b+Jcc|5|64|64|64|none|relative 0 b near
XOR|-1|64|64|64|none|gpr 64 b|memory 64 b
XOR|-1|64|64|64|none|gpr 64 b|memory 64 x
XOR|-1|64|64|64|none|memory 64 b|gpr 64 b
XOR|-1|64|64|64|none|memory 64 x|gpr 64 b
`
  .trim()
  .split('\n');
