; Setup of one frozen app for Windows: setup.exe [/S] [/SERVERURL=…] [/ENROLTOKEN=…] [/LANG=zh|en] [/D=folder]
; Made by build/windows.sh, which defines APP, TITLE, VERSION, SOURCE, OUT, SIZE, MAIN. Run again it repairs; over an older
; version it upgrades. Learners' records lie in their own profiles and are never touched.
Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
SetCompressorDictSize 64
!include "FileFunc.nsh"
!include "LogicLib.nsh"
!include "MUI2.nsh"
!include "x64.nsh"

Name "${TITLE}"
OutFile "${OUT}"
InstallDir "$PROGRAMFILES64\${APP}"
RequestExecutionLevel admin
ShowInstDetails nevershow
BrandingText "TrueSeat ${VERSION}"
!ifdef SIGN ; the uninstaller is a program of its own
    !uninstfinalize '${SIGN} "%1"' = 0
!endif
VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "${TITLE}"
VIAddVersionKey "FileDescription" "${TITLE}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "The TrueSeat authors"

!define LISTED "Software\Microsoft\Windows\CurrentVersion\Uninstall"
!define UNINSTALL "${LISTED}\${APP}"
!define SETTINGS "Software\TrueSeat" ; docs/deploy.md: every value here is a setting of the client
!define MUI_ICON "${SOURCE}\..\trueseat.ico"
!define MUI_UNICON "${SOURCE}\..\trueseat.ico"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "SimpChinese"
!insertmacro MUI_LANGUAGE "English"
LangString RUNNING ${LANG_SIMPCHINESE} "TrueSeat 正在运行。请关闭窗口后重试，学习记录不会丢失。"
LangString RUNNING ${LANG_ENGLISH} "TrueSeat is running. Close its window and try again; records of the session are kept."
LangString RECORDS ${LANG_SIMPCHINESE} "学习记录仍保存在以下文件夹，其中可能有尚未上传的内容；重新安装并打开客户端即可上传，也可自行删除："
LangString RECORDS ${LANG_ENGLISH} "Study records stay here, some may not be sent yet; install TrueSeat again and open it to send them, or delete the folder:"

; A line on the console of whoever runs this silently.
!macro Say TEXT
    System::Call 'kernel32::GetStdHandle(i -11) p .r8'
    ${If} $8 != 0
    ${AndIf} $8 != -1
        StrCpy $9 "${TEXT}$\r$\n"
        System::Call 'kernel32::WideCharToMultiByte(i 65001, i 0, w r9, i -1, m .r7, i 4096, p 0, p 0) i .r6'
        IntOp $6 $6 - 1
        System::Call 'kernel32::WriteFile(p r8, m r7, i r6, *i .r5, p 0)'
    ${EndIf}
!macroend

; Nobody's session is cut off: a program that runs cannot be opened for writing.
!macro RefuseWhileRunning
    ${If} ${FileExists} "$INSTDIR\${MAIN}"
        ClearErrors
        FileOpen $0 "$INSTDIR\${MAIN}" a
        ${If} ${Errors}
            !insertmacro Say "$(RUNNING)"
            MessageBox MB_OK|MB_ICONEXCLAMATION "$(RUNNING)" /SD IDOK
            SetErrorLevel 1618 ; ERROR_INSTALL_ALREADY_RUNNING: fleet tools try again later
            Quit
        ${EndIf}
        FileClose $0
    ${EndIf}
!macroend

!macro Setting NAME VALUE
    StrCpy $1 "/${NAME}="
    Call ValueOf
    ${If} $2 != ""
        WriteRegStr HKLM "${SETTINGS}" "${VALUE}" "$2"
    ${EndIf}
!macroend

; $1 is "/NAME=": $2 becomes what stands behind it on the command line, up to the next blank, or within quotes.
; (GetOptions would end an address at its slashes.)
Function ValueOf
    ${GetParameters} $0
    StrCpy $2 ""
    StrLen $3 $1
    StrCpy $4 0
    ${Do}
        StrCpy $5 $0 $3 $4
        ${If} $5 == ""
            Return
        ${EndIf}
        ${If} $5 == $1
            ${ExitDo}
        ${EndIf}
        IntOp $4 $4 + 1
    ${Loop}
    IntOp $4 $4 + $3
    StrCpy $6 $0 1 $4
    ${If} $6 == '"'
        IntOp $4 $4 + 1
    ${Else}
        StrCpy $6 " "
    ${EndIf}
    ${Do}
        StrCpy $5 $0 1 $4
        ${If} $5 == ""
        ${OrIf} $5 == $6
            Return
        ${EndIf}
        StrCpy $2 "$2$5"
        IntOp $4 $4 + 1
    ${Loop}
FunctionEnd

Function .onInit
    SetRegView 64
    ReadRegStr $0 HKLM "${UNINSTALL}" "InstallLocation"
    ${If} $0 != ""
    ${AndIf} $INSTDIR == "$PROGRAMFILES64\${APP}"
        StrCpy $INSTDIR $0 ; over an older version: where that one lies
    ${EndIf}
    !insertmacro RefuseWhileRunning
FunctionEnd

; The uninstaller takes away what has our kind of name: nothing of others may lie in our folder.
Function IntoOneOfOurOwn
    ReadRegStr $0 HKLM "${UNINSTALL}" "InstallLocation"
    ${DirState} "$INSTDIR" $1
    ${If} $1 == 1
    ${AndIf} $0 != $INSTDIR
    ${AndIfNot} ${FileExists} "$INSTDIR\${MAIN}"
        StrCpy $INSTDIR "$INSTDIR\${APP}"
        !insertmacro RefuseWhileRunning
    ${EndIf}
FunctionEnd

Section
    SetShellVarContext all
    Call IntoOneOfOurOwn
    RMDir /r "$INSTDIR\_internal" ; nothing of an older version is left beside the new one
    SetOutPath "$INSTDIR"
    File /r "${SOURCE}\*.*"
    File "${SOURCE}\..\trueseat.ico"
    WriteUninstaller "$INSTDIR\uninstall.exe"
    CreateShortcut "$SMPROGRAMS\${TITLE}.lnk" "$INSTDIR\${MAIN}" "" "$INSTDIR\trueseat.ico"
    WriteRegStr HKLM "${UNINSTALL}" "DisplayName" "${TITLE}"
    WriteRegStr HKLM "${UNINSTALL}" "DisplayVersion" "${VERSION}"
    WriteRegStr HKLM "${UNINSTALL}" "Publisher" "TrueSeat"
    WriteRegStr HKLM "${UNINSTALL}" "DisplayIcon" "$INSTDIR\trueseat.ico"
    WriteRegStr HKLM "${UNINSTALL}" "InstallLocation" "$INSTDIR"
    WriteRegStr HKLM "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
    WriteRegStr HKLM "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
    WriteRegDWORD HKLM "${UNINSTALL}" "EstimatedSize" ${SIZE}
    WriteRegDWORD HKLM "${UNINSTALL}" "NoModify" 1
    !insertmacro Setting SERVERURL server
    !insertmacro Setting ENROLTOKEN token
    !insertmacro Setting LANG language
    !ifdef REPORT ; "open with" for .zip, and trust files by a double click
        WriteRegStr HKLM "Software\Classes\Applications\${REPORT}\shell\open\command" "" '"$INSTDIR\${REPORT}" "%1"'
        WriteRegStr HKLM "Software\Classes\Applications\${REPORT}\SupportedTypes" ".zip" ""
        WriteRegStr HKLM "Software\Classes\Applications\${REPORT}" "FriendlyAppName" "${TITLE}"
    !endif
SectionEnd

Function un.onInit
    SetRegView 64
    !insertmacro RefuseWhileRunning
FunctionEnd

Section "Uninstall"
    SetShellVarContext all
    Delete "$SMPROGRAMS\${TITLE}.lnk"
    RMDir /r "$INSTDIR\_internal"
    RMDir /r "$INSTDIR\licences"
    Delete "$INSTDIR\*.exe"
    Delete "$INSTDIR\*.txt"
    Delete "$INSTDIR\*.ico"
    Delete "$INSTDIR\NOTICE"
    Delete "$INSTDIR\LICENSE"
    RMDir "$INSTDIR" ; what is not ours in it stays
    DeleteRegKey HKLM "${UNINSTALL}"
    !ifdef REPORT
        DeleteRegKey HKLM "Software\Classes\Applications\${REPORT}"
    !endif
    ReadRegStr $0 HKLM "${LISTED}\trueseat" "InstallLocation"
    ReadRegStr $1 HKLM "${LISTED}\trueseat-agent" "InstallLocation"
    ${If} "$0$1" == "" ; settings go with the last program that reads them
        DeleteRegKey HKLM "${SETTINGS}"
    ${EndIf}
    Call un.SayWhereRecordsAre
SectionEnd

; Every profile of this computer: the uninstaller runs as an administrator, records belong to others.
Function un.SayWhereRecordsAre
    ReadRegStr $R0 HKLM "Software\Microsoft\Windows NT\CurrentVersion\ProfileList" "ProfilesDirectory"
    ExpandEnvStrings $R0 "$R0"
    ${If} $R0 == ""
        GetFullPathName $R0 "$PROFILE\.."
    ${EndIf}
    FindFirst $R1 $R2 "$R0\*"
    ${DoWhile} $R2 != ""
        ${If} ${FileExists} "$R0\$R2\AppData\Local\trueseat\learners\*.*"
            !insertmacro Say "$(RECORDS) $R0\$R2\AppData\Local\trueseat"
            MessageBox MB_OK|MB_ICONINFORMATION "$(RECORDS)$\r$\n$R0\$R2\AppData\Local\trueseat" /SD IDOK
        ${EndIf}
        FindNext $R1 $R2
    ${Loop}
    FindClose $R1
FunctionEnd
