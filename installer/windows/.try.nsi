; Setup.exe of Aftercare 随访台: plain NSIS of Debian, no plug-ins of others. Called by `cargo xtask installer windows`:
;   makensis -INPUTCHARSET UTF8 -DVERSION= -DPUBLISHER= -DSTAGE= -DWORDS= -DOUT= [-DRUNTIME=] [-DSIGN=] [-DSTUB64] setup.nsi
; Options of Setup.exe: /S silent, /CURRENTUSER, /ALLUSERS, /SERVER (the server's program too), /NODESKTOP, /D=FOLDER.
; Options of uninstall.exe: /S silent, /DELETEDATA.
; Exit codes: 0 done, 3 Windows too old, 4 running, 5 WebView2 missing, 6 no space, 7 no rights; 1 and 2 are NSIS's own.
!define PRODUCT "Aftercare"
!define EXE "aftercare.exe"
!define SERVER_EXE "aftercare-server.exe"
!define SERVICE "AftercareServer"
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${PRODUCT}"
!define LINK_KEY "Software\Classes\aftercare"
!define DATA "$LOCALAPPDATA\cn.aftercare.desk"
!define RUNTIME_GUID "{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}"
!define RUNTIME_FILE "MicrosoftEdgeWebView2RuntimeInstallerX64.exe"
!define NEEDED_MB 200

!ifdef STUB64
  ; Only tests see it: time counts more than size.
  Target amd64-unicode
  SetCompressor /SOLID lzma
  SetCompressorDictSize 64
!else
  Unicode true
  ; The programs have most of their code in common: the dictionary reaches from one to the next.
  SetCompressor /SOLID lzma
  SetCompressorDictSize 64
!endif
ManifestDPIAware true
ManifestSupportedOS all
Name "$(name)"
Caption "$(name) ${VERSION}"
BrandingText "${PUBLISHER} ${VERSION}"
OutFile "${OUT}"
; A user without rights installs for herself; an administrator may install for everybody.
RequestExecutionLevel highest
AllowSkipFiles off
!ifdef SIGN
  !finalize '${SIGN} "%1"'
  !uninstfinalize '${SIGN} "%1"'
!endif

!include MUI2.nsh
!include LogicLib.nsh
!include FileFunc.nsh
!include WinVer.nsh
!include x64.nsh
!include nsDialogs.nsh

VIProductVersion "${VERSION}.0"
VIAddVersionKey /LANG=0 "ProductName" "随访台 Aftercare"
VIAddVersionKey /LANG=0 "FileDescription" "随访台 Aftercare"
VIAddVersionKey /LANG=0 "CompanyName" "${PUBLISHER}"
VIAddVersionKey /LANG=0 "FileVersion" "${VERSION}"
VIAddVersionKey /LANG=0 "ProductVersion" "${VERSION}"
VIAddVersionKey /LANG=0 "LegalCopyright" "${PUBLISHER}, MIT"

Var Everybody   ; 1: for all users of this PC
Var WithServer
Var NoShortcut
Var Given       ; the folder given with /D=
Var Files       ; files whose turn has come

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
Page custom PageForWhom LeaveForWhom
!define MUI_PAGE_CUSTOMFUNCTION_PRE RefuseBeforePages
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\${EXE}"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "SimpChinese"
!insertmacro MUI_LANGUAGE "English"
!include "${WORDS}"

; What to say, and with which code to end. Silent runs say nothing and end with the code.
!macro Refuse word code
  SetErrorLevel ${code}
  MessageBox MB_ICONSTOP "$(${word})" /SD IDOK
  SetErrorLevel ${code}
  Quit
!macroend

!macro PlaceOf un
Function ${un}UsePlace
  SetRegView 64
  ${If} $Everybody == 1
    SetShellVarContext all
  ${Else}
    SetShellVarContext current
  ${EndIf}
FunctionEnd
!macroend
!insertmacro PlaceOf ""
!insertmacro PlaceOf "un."

; The folder of an earlier installation of the same kind, or the usual one.
Function ChooseFolder
  Call UsePlace
  ReadRegStr $0 SHCTX "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $Given != ""
    StrCpy $INSTDIR $Given
  ${ElseIf} $0 != ""
    StrCpy $INSTDIR $0
  ${ElseIf} $Everybody == 1
    StrCpy $INSTDIR "$PROGRAMFILES64\${PRODUCT}"
  ${Else}
    StrCpy $INSTDIR "$LOCALAPPDATA\Programs\${PRODUCT}"
  ${EndIf}
FunctionEnd

Function .onInit
  StrCpy $Given $INSTDIR
  ${IfNot} ${RunningX64}
  ${OrIfNot} ${AtLeastWin10}
    !insertmacro Refuse setup_old_windows 3
  ${EndIf}
  SetRegView 64
  StrCpy $Everybody 0
  ReadRegStr $0 HKCU "${UNINSTALL_KEY}" "InstallLocation"
  ReadRegStr $1 HKLM "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $0 == ""
  ${AndIf} $1 != ""
    StrCpy $Everybody 1
  ${EndIf}
  ${GetParameters} $9
  ClearErrors
  ${GetOptions} $9 "/ALLUSERS" $0
  ${IfNot} ${Errors}
    StrCpy $Everybody 1
  ${EndIf}
  ClearErrors
  ${GetOptions} $9 "/CURRENTUSER" $0
  ${IfNot} ${Errors}
    StrCpy $Everybody 0
  ${EndIf}
  ClearErrors
  ${GetOptions} $9 "/SERVER" $0
  ${IfNot} ${Errors}
    StrCpy $WithServer 1
  ${EndIf}
  ClearErrors
  ${GetOptions} $9 "/NODESKTOP" $0
  ${IfNot} ${Errors}
    StrCpy $NoShortcut 1
  ${EndIf}
  Call ChooseFolder
  Call ChooseParts
FunctionEnd

; For whom: only an administrator is asked.
Function PageForWhom
  UserInfo::GetAccountType
  Pop $0
  ${If} $0 != "Admin"
    Abort
  ${EndIf}
  !insertmacro MUI_HEADER_TEXT "$(setup_for_whom)" ""
  nsDialogs::Create 1018
  Pop $0
  ${NSD_CreateRadioButton} 0 20u 100% 12u "$(setup_for_me)"
  Pop $1
  ${NSD_CreateRadioButton} 0 40u 100% 12u "$(setup_for_everybody)"
  Pop $2
  ${If} $Everybody == 1
    ${NSD_Check} $2
  ${Else}
    ${NSD_Check} $1
  ${EndIf}
  nsDialogs::Show
FunctionEnd

Function LeaveForWhom
  ${NSD_GetState} $2 $0
  StrCpy $Everybody 0
  ${If} $0 == ${BST_CHECKED}
    StrCpy $Everybody 1
  ${EndIf}
  Call ChooseFolder
FunctionEnd

Function RefuseBeforePages
  Call RefuseRunning
FunctionEnd

; A program that runs cannot be opened for writing.
!macro RefuseIfOpen file
  ${If} ${FileExists} "$INSTDIR\${file}"
    ClearErrors
    FileOpen $1 "$INSTDIR\${file}" a
    ${If} ${Errors}
      StrCpy $0 1
    ${Else}
      FileClose $1
    ${EndIf}
  ${EndIf}
!macroend

!macro Running un
Function ${un}RefuseRunning
  ; An update comes when the window has just been closed: it gets half a minute to end.
  StrCpy $2 0
  ${Do}
    StrCpy $0 0
    !insertmacro RefuseIfOpen "${EXE}"
    !insertmacro RefuseIfOpen "aftercare-cli.exe"
    !insertmacro RefuseIfOpen "${SERVER_EXE}"
    ${If} $0 == 0
      Return
    ${EndIf}
    ${GetParameters} $9
    ClearErrors
    ${GetOptions} $9 "/WAIT" $3
    ${If} ${Errors}
    ${OrIf} $2 > 60
      !insertmacro Refuse setup_running 4
    ${EndIf}
    IntOp $2 $2 + 1
    Sleep 500
  ${Loop}
FunctionEnd
!macroend
!insertmacro Running ""
!insertmacro Running "un."

Function RefuseNoRights
  ${If} $Everybody == 1
    UserInfo::GetAccountType
    Pop $0
    ${If} $0 != "Admin"
      !insertmacro Refuse setup_no_rights 7
    ${EndIf}
  ${EndIf}
  ClearErrors
  CreateDirectory "$INSTDIR"
  RMDir /r "$INSTDIR\new"
  ClearErrors
  CreateDirectory "$INSTDIR\new"
  ${If} ${Errors}
    !insertmacro Refuse setup_no_rights 7
  ${EndIf}
FunctionEnd

Function RefuseNoRoom
  ${GetRoot} "$INSTDIR" $0
  ${DriveSpace} "$0\" "/D=F /S=M" $1
  ${If} $1 != ""
  ${AndIf} $1 < ${NEEDED_MB}
    RMDir /r "$INSTDIR\new"
    !insertmacro Refuse setup_no_room 6
  ${EndIf}
FunctionEnd

; Puts a new file in the old one's place. The old one is kept until all have changed.
!macro Exchange file
  ${If} ${FileExists} "$INSTDIR\new\${file}"
    Delete "$INSTDIR\${file}.old"
    ${If} ${FileExists} "$INSTDIR\${file}"
      ClearErrors
      Rename "$INSTDIR\${file}" "$INSTDIR\${file}.old"
      ${If} ${Errors}
        Call GoBack
      ${EndIf}
    ${EndIf}
    ClearErrors
    Rename "$INSTDIR\new\${file}" "$INSTDIR\${file}"
    ${If} ${Errors}
      Call GoBack
    ${EndIf}
    StrCpy $Files "$Files*${file}"
  ${EndIf}
!macroend

!macro TakeBack file
  ${If} ${FileExists} "$INSTDIR\${file}.old"
    Delete "$INSTDIR\${file}"
    Rename "$INSTDIR\${file}.old" "$INSTDIR\${file}"
  ${EndIf}
!macroend

!macro EachFile do
  !insertmacro ${do} "WebView2Loader.dll"
  !insertmacro ${do} "aftercare-cli.exe"
  !insertmacro ${do} "${SERVER_EXE}"
  !insertmacro ${do} "${EXE}"
!macroend

Function GoBack
  !insertmacro EachFile TakeBack
  RMDir /r "$INSTDIR\new"
  !insertmacro Refuse setup_no_rights 7
FunctionEnd

Function .onInstFailed
  ; Out of space in the middle, most likely: the old files have not been touched yet.
  RMDir /r "$INSTDIR\new"
FunctionEnd

!macro DropOld file
  Delete "$INSTDIR\${file}.old"
!macroend

Function HasRuntime   ; pushes the version of WebView2, or nothing
  SetRegView 32
  ReadRegStr $0 HKLM "SOFTWARE\Microsoft\EdgeUpdate\Clients\${RUNTIME_GUID}" "pv"
  SetRegView 64
  ${If} $0 == ""
  ${OrIf} $0 == "0.0.0.0"
    ReadRegStr $0 HKCU "Software\Microsoft\EdgeUpdate\Clients\${RUNTIME_GUID}" "pv"
  ${EndIf}
  ${If} $0 == "0.0.0.0"
    StrCpy $0 ""
  ${EndIf}
  Push $0
FunctionEnd

Section "$(setup_part_desk)" PartDesk
  SectionIn RO
  Call UsePlace
  Call RefuseRunning
  Call RefuseNoRights
  Call RefuseNoRoom
  SetOutPath "$INSTDIR\new"
  File "${STAGE}/${EXE}"
  File "${STAGE}/aftercare-cli.exe"
  File "${STAGE}/WebView2Loader.dll"
SectionEnd

Section /o "$(setup_part_server)" PartServer
  SetOutPath "$INSTDIR\new"
  File "${STAGE}/${SERVER_EXE}"
SectionEnd

Section "$(setup_desktop_entry)" PartEntry
  StrCpy $3 entry
SectionEnd

Section "-Exchange"
  ; A server that is there already is never left behind by the desk.
  ${If} ${FileExists} "$INSTDIR\${SERVER_EXE}"
  ${AndIfNot} ${FileExists} "$INSTDIR\new\${SERVER_EXE}"
    SetOutPath "$INSTDIR\new"
    File "${STAGE}/${SERVER_EXE}"
  ${EndIf}
  SetOutPath "$INSTDIR"
  !insertmacro EachFile Exchange
  RMDir /r "$INSTDIR\new"
  !insertmacro EachFile DropOld
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\随访台.lnk" "$INSTDIR\${EXE}" "" "$INSTDIR\${EXE}" 0 SW_SHOWNORMAL "" "$(comment)"
  ${If} $3 == entry
    CreateShortcut "$DESKTOP\随访台.lnk" "$INSTDIR\${EXE}" "" "$INSTDIR\${EXE}" 0 SW_SHOWNORMAL "" "$(comment)"
  ${EndIf}
  WriteRegStr SHCTX "${LINK_KEY}" "" "URL:Aftercare"
  WriteRegStr SHCTX "${LINK_KEY}" "URL Protocol" ""
  WriteRegStr SHCTX "${LINK_KEY}\DefaultIcon" "" "$INSTDIR\${EXE},0"
  WriteRegStr SHCTX "${LINK_KEY}\shell\open\command" "" '"$INSTDIR\${EXE}" "%1"'
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayName" "随访台 Aftercare"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "Publisher" "${PUBLISHER}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\${EXE},0"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  IntFmt $0 "0x%08X" $0
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "EstimatedSize" "$0"
SectionEnd

Section "-Runtime"
  Call HasRuntime
  Pop $0
  ${If} $0 == ""
    DetailPrint "$(setup_webview)"
!ifdef RUNTIME
    InitPluginsDir
    File "/oname=$PLUGINSDIR\${RUNTIME_FILE}" "${RUNTIME}"
    ExecWait '"$PLUGINSDIR\${RUNTIME_FILE}" /silent /install' $1
!else
    ${If} ${FileExists} "$EXEDIR\${RUNTIME_FILE}"
      ExecWait '"$EXEDIR\${RUNTIME_FILE}" /silent /install' $1
    ${EndIf}
!endif
    Call HasRuntime
    Pop $0
    ${If} $0 == ""
      SetErrorLevel 5
      MessageBox MB_ICONEXCLAMATION "$(setup_no_webview)" /SD IDOK
      SetErrorLevel 5
    ${EndIf}
  ${EndIf}
SectionEnd

Function ChooseParts
  ${If} $WithServer == 1
    SectionSetFlags ${PartServer} ${SF_SELECTED}
  ${EndIf}
  ${If} $NoShortcut == 1
    SectionSetFlags ${PartEntry} 0
  ${EndIf}
FunctionEnd

Function un.onInit
  SetRegView 64
  ; Of the two kinds of installation this one is the one that lies here.
  StrCpy $Everybody 0
  ReadRegStr $0 HKLM "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $0 == "$INSTDIR"
    StrCpy $Everybody 1
  ${EndIf}
  Call un.UsePlace
FunctionEnd

Section "Uninstall"
  Call un.UsePlace
  ${If} ${FileExists} "$INSTDIR\${SERVER_EXE}"
    ExecWait '"$INSTDIR\${SERVER_EXE}" --home "$INSTDIR" service uninstall' $0
    ${If} $0 != 0
      !insertmacro Refuse setup_server_service 4
    ${EndIf}
  ${EndIf}
  Call un.RefuseRunning
  Delete "$INSTDIR\${EXE}"
  Delete "$INSTDIR\aftercare-cli.exe"
  Delete "$INSTDIR\${SERVER_EXE}"
  Delete "$INSTDIR\WebView2Loader.dll"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\随访台.lnk"
  Delete "$DESKTOP\随访台.lnk"
  DeleteRegKey SHCTX "${LINK_KEY}"
  DeleteRegKey SHCTX "${UNINSTALL_KEY}"
  ; Patients' data stay unless somebody asks for their end. They are the user's own, also after /ALLUSERS.
  SetShellVarContext current
  ${GetParameters} $9
  ClearErrors
  ${GetOptions} $9 "/DELETEDATA" $0
  ${If} ${Errors}
    ${If} ${FileExists} "${DATA}\*.*"
      MessageBox MB_YESNO|MB_DEFBUTTON2|MB_ICONQUESTION "$(setup_delete_data)" /SD IDNO IDYES delete_data
    ${EndIf}
    Goto data_done
  ${EndIf}
  delete_data:
  RMDir /r "${DATA}"
  data_done:
SectionEnd
