package fileserver

// status is an NTSTATUS (MS-ERREF 2.3.1).
type status uint32

const (
	statusOK                    status = 0x00000000
	statusBufferOverflow        status = 0x80000005
	statusNoMoreFiles           status = 0x80000006
	statusInfoLengthMismatch    status = 0xC0000004
	statusInvalidInfoClass      status = 0xC0000003
	statusInvalidParameter      status = 0xC000000D
	statusNoSuchFile            status = 0xC000000F
	statusInvalidDeviceRequest  status = 0xC0000010
	statusEndOfFile             status = 0xC0000011
	statusMoreProcessing        status = 0xC0000016
	statusAccessDenied          status = 0xC0000022
	statusBufferTooSmall        status = 0xC0000023
	statusObjectNameInvalid     status = 0xC0000033
	statusObjectNameNotFound    status = 0xC0000034
	statusObjectNameCollision   status = 0xC0000035
	statusObjectPathNotFound    status = 0xC000003A
	statusSharingViolation      status = 0xC0000043
	statusDeletePending         status = 0xC0000056
	statusPrivilegeNotHeld      status = 0xC0000061
	statusLogonFailure          status = 0xC000006D
	statusDiskFull              status = 0xC000007F
	statusInsufficientResources status = 0xC000009A
	statusFileIsADirectory      status = 0xC00000BA
	statusNotSupported          status = 0xC00000BB
	statusNetworkNameDeleted    status = 0xC00000C9
	statusBadNetworkName        status = 0xC00000CC
	statusRequestNotAccepted    status = 0xC00000D0
	statusNotADirectory         status = 0xC0000103
	statusFileClosed            status = 0xC0000128
	statusIODeviceError         status = 0xC0000185
	statusUserSessionDeleted    status = 0xC0000203
	statusNotFound              status = 0xC0000225
	statusSessionExpired        status = 0xC000035C
	statusFileTooLarge          status = 0xC0000904
	statusNoHashOverlap         status = 0xC05D0000
)
